/** Puts the schedules of the customer's document into the sandbox's QStash, through its own SDK. */
import { Client } from '@upstash/qstash';
import { EXPECTED_SCHEDULES } from '../domain/schedule.ts';

const FIRST_LABEL = 'first-of-this-start';

/**
 * Creates or overwrites these of the expected schedules by their fixed ids, delivering to `EMAIL_WORKER_BASE_URL`, and sends
 * each destination one message now: nobody wants to wait two minutes for the first mail.
 */
export async function ensureSchedules(
  environment: Readonly<Record<string, string>>,
  ids: readonly string[],
): Promise<void> {
  const client = new Client({
    baseUrl: environment.QSTASH_URL ?? '',
    token: environment.QSTASH_TOKEN ?? '',
    devMode: false,
    retry: false,
    enableTelemetry: false,
  });
  // Those of a start that was over too soon to deliver them: each destination gets one, not two side by side.
  await client.messages.cancel({ filter: { label: FIRST_LABEL } });
  for (const { id, path, cron } of EXPECTED_SCHEDULES.filter((schedule) => ids.includes(schedule.id))) {
    const destination = `${environment.EMAIL_WORKER_BASE_URL}${path}`;
    await client.schedules.create({
      destination,
      scheduleId: id,
      cron,
      // The next tick comes anyway (FACTS: retries of a minute-level schedule run beside later ticks).
      retries: 1,
    });
    // The processor first: a monitor that looked before it would miss its runs of the time when the sandbox was off.
    const delaySeconds = id === 'email-queue-processor' ? 0 : 4;
    await client.publishJSON({ url: destination, body: {}, retries: 0, delay: delaySeconds, label: FIRST_LABEL });
  }
}
