/** The sandbox's database behind its REST API, in a process of its own: `node sandbox-child.ts <folder> <key>`. */
import { openDatabase } from '../../src/sandbox/database.ts';
import { serve } from '../../tests/support/serve.ts';

process.on('disconnect', () => process.exit(0));
const [folder = '', secretKey = ''] = process.argv.slice(2);
const database = await openDatabase({ folder, secretKey });
const served = await serve(database.fetch);
process.send?.({ url: served.url });
// The benchmark's own statements, which no worker sends.
process.on('message', async (statement: string) => process.send?.(await database.query(statement)));
