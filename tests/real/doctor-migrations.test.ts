/** Doctor on databases where one of our migrations is missing: it names that one, and how to apply it. */
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LATER_MIGRATIONS } from '../../src/commands/checks/migrations.ts';
import { checkPostgres } from '../../src/commands/checks/postgres.ts';
import { connectSupabase } from '../../src/data/supabase.ts';
import { systemClock } from '../../src/domain/time.ts';
import {
  applyMigrations,
  isPostgresMissing,
  migrationFiles,
  type PostgresCluster,
  startPostgres,
} from '../support/postgres.ts';
import { serveRest } from '../support/rest.ts';

const [tables = '', first = '', ...later] = migrationFiles();

describe.skipIf(isPostgresMissing())('doctor and our migrations', () => {
  let postgres: PostgresCluster;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());

  async function checksWith(files: readonly string[]) {
    const { sql, url } = await postgres.createDatabase();
    await applyMigrations(sql, files);
    await using rest = await serveRest(url, { connections: 4 });
    const supabase = connectSupabase({ url: rest.url, serviceRoleKey: rest.key });
    try {
      return (await checkPostgres(supabase, systemClock)).checks;
    } finally {
      await supabase.close();
    }
  }
  const faults = (checks: Awaited<ReturnType<typeof checksWith>>) => checks.filter(({ state }) => state !== 'ok');

  it('knows every one of them', () => {
    expect(LATER_MIGRATIONS.map(({ file }) => file)).toEqual(later.map((path) => basename(path)));
  });

  it('is content where all are applied', async () => {
    const checks = await checksWith(migrationFiles());
    expect(faults(checks)).toEqual([]);
    expect(checks.at(-1)).toMatchObject({ name: 'migrations', detail: 'all of them are applied' });
  });

  it.each(later.map((path) => basename(path)))('says that %s is missing, and only that', async (missing) => {
    const checks = await checksWith(migrationFiles().filter((path) => !path.endsWith(missing)));
    expect(faults(checks)).toEqual([
      {
        name: 'migrations',
        state: 'warning',
        detail: expect.stringMatching(new RegExp(`^${missing} is missing: `)),
        remedy: expect.stringContaining(`supabase/migrations/${missing}`),
      },
    ]);
  });

  it('names all of them on the deployment as it was', async () => {
    const text = JSON.stringify(faults(await checksWith([tables])));
    for (const path of [first, ...later]) expect(text).toContain(`${basename(path)} is missing`);
  });

  it('asks whether it is the right database where there are not even the tables', async () => {
    const [check] = faults(await checksWith([]));
    expect(check).toMatchObject({ state: 'failed', remedy: expect.stringContaining('Is this the right database?') });
  });
});
