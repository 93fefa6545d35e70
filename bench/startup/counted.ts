/** What `--quick` holds of starting: how many files are loaded, and how much of packages; nothing of it depends on the machine. */
import type { Counted } from '../section.ts';
import { build, createStarter } from './programs.ts';

/** Nobody listens there: `status` loads the same, and says that nothing could be reached. */
const NOWHERE = 'http://127.0.0.1:9';

const ENVIRONMENT = {
  KV_REST_API_URL: NOWHERE,
  KV_REST_API_TOKEN: 'token',
  NEXT_PUBLIC_SUPABASE_URL: NOWHERE,
  SUPABASE_SERVICE_ROLE_KEY: 'key',
  QSTASH_URL: NOWHERE,
  QSTASH_TOKEN: 'token',
};

const PROGRAMS = { help: ['--help'], 'status-help': ['status', '--help'], status: ['status'] };

export const counted: Counted = {
  name: 'startup',
  run: async () => {
    build();
    using starter = createStarter(ENVIRONMENT);
    const figures: Record<string, number> = {};
    for (const [name, program] of Object.entries(PROGRAMS)) {
      const { ours, packages, packageBytes } = await starter.load(program);
      figures[`${name}.files`] = ours;
      figures[`${name}.package-files`] = packages;
      figures[`${name}.package-kilobytes`] = Math.ceil(packageBytes / 1_000);
    }
    return figures;
  },
};
