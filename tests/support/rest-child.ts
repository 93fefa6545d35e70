/** Supabase's REST API in a process of its own: `node rest-child.ts <database url> <port>`. For tests that pull its database away. */
import { serveRest } from './rest.ts';

// Who started us is gone, however it went.
process.stdin.on('end', () => process.exit(1)).resume();
const [databaseUrl = '', port = ''] = process.argv.slice(2);
const rest = await serveRest(databaseUrl, { port: Number(port) });
process.stdout.write(`${JSON.stringify({ url: rest.url, key: rest.key })}\n`);
