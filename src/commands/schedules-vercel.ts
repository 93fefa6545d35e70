/** `email-ops schedules vercel`: the crons of `vercel.json`, for a deployment without QStash. */
import { EXPECTED_SCHEDULES, TICK_SCHEDULE } from '../domain/schedule.ts';
import { type Command, EXIT } from './command.ts';

export const vercel: Command<{ oneTick?: boolean }> = {
  name: 'vercel',
  summary: 'print the crons of vercel.json, for Vercel cron instead of QStash',
  options: [{ flags: '--one-tick', description: 'a single cron that runs whatever is due' }],
  examples: [{ line: 'email-ops schedules vercel > vercel.json', what: 'a file of its own; or merge it into yours' }],
  run: async ({ options, io }) => {
    const wanted = options.oneTick === true ? [TICK_SCHEDULE] : EXPECTED_SCHEDULES;
    const crons = wanted.map(({ path, cron }) => ({ path, schedule: cron }));
    io.stdout.write(`${JSON.stringify({ crons }, null, 2)}\n`);
    io.stderr.write(
      '# Set CRON_SECRET (16 characters or more) at Vercel, else the endpoints stay closed. Times are UTC; Hobby allows one run a day only.\n',
    );
    return EXIT.ok;
  },
};
