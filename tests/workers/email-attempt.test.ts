import { describe, expect, test } from 'vitest';
import type { OutgoingEmail, SendOutcome } from '../../src/data/email-function.ts';
import { FaultError } from '../../src/data/fault.ts';
import type { Provider, QueuedEmail } from '../../src/domain/email.ts';
import type { FaultCode } from '../../src/domain/loaded.ts';
import { type AttemptEnd, attemptEmail } from '../../src/workers/email-attempt.ts';
import type { Choice } from '../../src/workers/provider-choice.ts';
import { manualClock } from '../support/clock.ts';
import { anEmail } from '../support/emails.ts';

type Answer = SendOutcome | Error;
const sent: SendOutcome = { ok: true, messageId: 'm1', provider: 'brevo', latencyMs: 12 };
const refused = (message: string, status = 500): Answer => ({
  ok: false,
  message,
  provider: 'brevo',
  latencyMs: 12,
  status,
  retryAfterMs: null,
});
const fault = (code: FaultCode, message: string) => new FaultError({ code, message, remedy: 'Check it.' });

/** Providers are chosen in this order, each once; what they answer is given by name. */
async function attempt(
  email: QueuedEmail,
  {
    order = ['brevo', 'resend', 'mailersend', 'aws_ses'],
    answers = {},
    choices = [],
    mayStart = true,
    mayWait = true,
  }: {
    order?: readonly Provider[];
    answers?: Partial<Record<Provider, Answer>>;
    choices?: Choice[];
    mayStart?: boolean;
    mayWait?: boolean;
  } = {},
): Promise<{ end: AttemptEnd; sends: OutgoingEmail[]; reports: string[] }> {
  const sends: OutgoingEmail[] = [];
  const reports: string[] = [];
  const used = new Set<Provider>();
  const end = await attemptEmail(email, {
    clock: manualClock(),
    mayStart: () => mayStart,
    wait: async () => mayWait,
    send: async (outgoing) => {
      sends.push(outgoing);
      const answer = answers[outgoing.provider] ?? sent;
      if (answer instanceof Error) throw answer;
      return answer === sent ? { ...sent, provider: outgoing.provider } : answer;
    },
    choice: {
      choose: async ({ tried, only }) => {
        const next = choices.shift();
        if (next !== undefined) return next;
        const provider = (only === null ? order : [only]).find((each) => !tried.has(each) && !used.has(each));
        if (provider === undefined) return { kind: 'none' };
        used.add(provider);
        return { kind: 'provider', provider };
      },
      sent: (provider, by = provider) => reports.push(`sent ${provider}${by === provider ? '' : ` by ${by}`}`),
      notSent: (provider) => reports.push(`not sent ${provider}`),
      failed: (provider, { kind }) => reports.push(`${kind} ${provider}`),
    },
  });
  return { end, sends, reports };
}
const down = refused('503 service_unavailable');

describe('one attempt at one email', () => {
  test('sends it as it stands in the queue, under its row’s id', async () => {
    const content = { subject: 'Hi', html: '<p>Hi</p>', text: 'Hi', from: 'a@foodshare.club', fromName: 'FoodShare' };
    const email = anEmail({ content, attempts: 2 });
    const { end, sends } = await attempt(email);
    expect(sends).toEqual([{ to: 'reader@example.org', ...content, provider: 'brevo', idempotencyKey: email.id }]);
    expect(end).toEqual({
      kind: 'result',
      result: { id: email.id, attempt: 2, outcome: 'sent', provider: 'brevo', messageId: 'm1', latencyMs: 12 },
    });
  });

  test('believes the function about who sent it, when it recognised the key of an earlier send', async () => {
    const answer: SendOutcome = { ok: true, messageId: 'm1', provider: 'resend', latencyMs: 1 };
    const { end, reports } = await attempt(anEmail(), { answers: { brevo: answer } });
    expect(reports).toEqual(['sent brevo by resend']);
    expect(end).toMatchObject({ result: { outcome: 'sent', provider: 'resend' } });
    const odd = await attempt(anEmail(), { answers: { brevo: { ...answer, provider: 'postmark' } } });
    expect(odd.end).toMatchObject({ result: { outcome: 'sent', provider: 'brevo' } });
  });

  test('asks no provider for what none would take', async () => {
    const { end, sends } = await attempt(anEmail({ recipientEmail: 'nobody' }));
    expect(sends).toEqual([]);
    expect(end).toMatchObject({
      kind: 'result',
      result: { outcome: 'discard', reason: expect.stringContaining('address') },
    });
  });

  test('passes on what a provider that is down did not send, to two others at most', async () => {
    const one = await attempt(anEmail(), { answers: { brevo: down } });
    expect(one.end).toMatchObject({ result: { outcome: 'sent', provider: 'resend', failedProviders: ['brevo'] } });
    const all = await attempt(anEmail(), { answers: { brevo: down, resend: down, mailersend: down } });
    expect(all.sends).toHaveLength(3);
    expect(all.end).toMatchObject({
      result: { outcome: 'retry', provider: 'mailersend', failedProviders: ['brevo', 'resend', 'mailersend'] },
    });
  });

  test('passes on what a provider refuses for reasons of its own', async () => {
    const { end } = await attempt(anEmail(), { answers: { brevo: refused('401 unauthorized') } });
    expect(end).toMatchObject({ result: { outcome: 'sent', provider: 'resend' } });
  });

  test('does not pass on what may have been sent', async () => {
    for (const lost of [
      fault('timeout', 'No answer.'),
      fault('unreachable', 'fails (HTTP 502)'),
      new Error('odd'),
      refused('504 Gateway Timeout'),
    ]) {
      const { end, sends, reports } = await attempt(anEmail(), { answers: { brevo: lost } });
      expect(sends).toHaveLength(1);
      expect(reports).toEqual(['unanswered brevo']);
      expect(end).toMatchObject({
        result: { outcome: 'retry', provider: 'brevo', error: expect.stringMatching(/\[unanswered: brevo\]$/) },
      });
    }
  });

  test('keeps the mark of an earlier attempt through every failure that leaves it open', async () => {
    const email = anEmail({ lastError: 'No answer. [unanswered: resend]' });
    for (const failure of [down, refused('who knows'), refused('401 unauthorized'), fault('timeout', 'No answer.')]) {
      const { end, sends } = await attempt(email, { answers: { resend: failure } });
      expect(sends.map(({ provider }) => provider)).toEqual(['resend']);
      expect(end).toMatchObject({
        result: { outcome: 'retry', error: expect.stringMatching(/\[unanswered: resend\]$/) },
      });
    }
  });

  test('an email with a mark goes back as it was, and stops nobody else, when its provider cannot take it now', async () => {
    const email = anEmail({ lastError: 'No answer. [unanswered: resend]' });
    const { end } = await attempt(email, { choices: [{ kind: 'used-up', resetsAtEpochMs: 5 }] });
    expect(end).toEqual({ kind: 'give-back', retryAtEpochMs: 5, note: null, obstacle: null });
  });

  test('buries what the provider calls hopeless, with its words', async () => {
    const { end, sends } = await attempt(anEmail(), {
      answers: { brevo: refused('400 invalid_parameter: email is not valid in to') },
    });
    expect(sends).toHaveLength(1);
    expect(end).toMatchObject({
      result: { outcome: 'discard', reason: expect.stringContaining('invalid_parameter'), provider: 'brevo' },
    });
  });

  test('tries later what failed for an unknown reason', async () => {
    const { end, sends } = await attempt(anEmail(), { answers: { brevo: refused('hmm') } });
    expect(sends).toHaveLength(1);
    expect(end).toMatchObject({ result: { outcome: 'retry', error: 'hmm', failedProviders: ['brevo'] } });
  });

  test('takes the next provider when one’s quota is used up or it wants a pause, at no cost', async () => {
    const { end, reports } = await attempt(anEmail(), {
      answers: { brevo: refused('402 not_enough_credits'), resend: refused('429 rate_limit_exceeded') },
    });
    expect(reports).toEqual(['quota brevo', 'rate-limited resend', 'sent mailersend']);
    expect(end).toMatchObject({ result: { outcome: 'sent' } });
    expect(end).not.toHaveProperty('result.failedProviders');
  });

  test('goes back without a cost, and ends the run, when everything is used up', async () => {
    const resetsAtEpochMs = Date.parse('2026-11-24T00:00:00Z');
    const { end } = await attempt(anEmail(), { choices: [{ kind: 'used-up', resetsAtEpochMs }] });
    expect(end).toEqual({
      kind: 'give-back',
      retryAtEpochMs: resetsAtEpochMs,
      note: "Every provider's quota is used up until 2026-11-24 00:00 UTC.",
      obstacle: { kind: 'used-up', resetsAtEpochMs },
    });
  });

  test('waits for a provider that is back soon, not for one that is not', async () => {
    const now = manualClock().nowEpochMs();
    const soon = await attempt(anEmail(), { choices: [{ kind: 'wait', untilEpochMs: now + 2_000 }] });
    expect(soon.end).toMatchObject({ result: { outcome: 'sent' } });
    const late = await attempt(anEmail(), { choices: [{ kind: 'wait', untilEpochMs: now + 60_000 }] });
    expect(late.end).toMatchObject({ kind: 'give-back', retryAtEpochMs: now + 60_000, obstacle: { kind: 'resting' } });
    const never = await attempt(anEmail(), { choices: [{ kind: 'wait', untilEpochMs: Number.POSITIVE_INFINITY }] });
    expect(never.end).toMatchObject({ kind: 'give-back', retryAtEpochMs: now + 300_000 });
  });

  test('is not started when the run ends or its lease is short', async () => {
    expect(await attempt(anEmail(), { mayStart: false })).toMatchObject({
      end: { kind: 'not-started' },
      sends: [],
      reports: ['not sent brevo'],
    });
    const choices: Choice[] = [{ kind: 'wait', untilEpochMs: manualClock().nowEpochMs() + 1_000 }];
    expect(await attempt(anEmail(), { choices, mayWait: false })).toMatchObject({
      end: { kind: 'not-started' },
      sends: [],
    });
  });

  test('goes back when the email function takes nothing from us, with the remedy', async () => {
    for (const [code, message, kind] of [
      ['unauthorized', 'It does not accept our credentials (HTTP 401).', 'refused'],
      ['protocol', 'It is not at this address (HTTP 404).', 'refused'],
      ['unreachable', 'It is not reachable (ECONNREFUSED).', 'unavailable'],
      ['rate-limited', 'It limits us (HTTP 429).', 'unavailable'],
    ] as const) {
      const { end, reports } = await attempt(anEmail(), { answers: { brevo: fault(code, message) } });
      expect(reports).toEqual(['not sent brevo']);
      expect(end).toMatchObject({ kind: 'give-back', obstacle: { kind, message: `${message} Check it.` } });
    }
  });

  test('tells a request that the function itself finds wrong from a provider it does not know', async () => {
    const missing = await attempt(anEmail(), { answers: { brevo: refused('Missing required fields: html', 400) } });
    expect(missing.end).toMatchObject({ result: { outcome: 'discard' } });
    const unknown = await attempt(anEmail(), { answers: { brevo: refused('Unknown provider', 400) } });
    expect(unknown.end).toMatchObject({ result: { outcome: 'sent', provider: 'resend' } });
  });

  test('stores message ids without what Postgres would refuse', async () => {
    const { end } = await attempt(anEmail(), {
      answers: { brevo: { ok: true, messageId: '<a\u0000b@mail>\n', provider: 'brevo', latencyMs: 1 } },
    });
    expect(end).toMatchObject({ result: { messageId: '<ab@mail>' } });
  });
});
