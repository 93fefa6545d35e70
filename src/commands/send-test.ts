/** `email-ops send-test`: one real email through one provider, for whoever is on call, with what happened step by step. */
import { randomUUID } from 'node:crypto';
import { createEmailFunction, type SendOutcome } from '../data/email-function.ts';
import { FaultError } from '../data/fault.ts';
import { answerOf } from '../data/supabase.ts';
import { PROVIDERS, type Provider } from '../domain/email.ts';
import { findEmailFault } from '../domain/email-validation.ts';
import { formatCount, formatInstant, formatLatency } from '../domain/format.ts';
import { classifySendFailure, type SendFailureKind } from '../domain/send-failure.ts';
import { cleanText, maskEmail } from '../domain/text.ts';
import { utcDay } from '../domain/time.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, needSupabase } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { operatorOf } from './operator.ts';
import { JSON_OPTION } from './options.ts';
import { refuseReadOnly } from './pause.ts';
import { lookOf, paint, type Role, shown } from './render/look.ts';

type Options = { to?: string; provider?: Provider; subject?: string; yes?: boolean; json?: boolean };

export const sendTest: Command<Options> = {
  name: 'send-test',
  summary: 'send one real email through one provider and show what happened',
  options: [
    { flags: '--to <address>', description: 'who gets it; your own address, best' },
    { flags: '--provider <provider>', description: 'which provider sends it', choices: PROVIDERS },
    { flags: '--subject <text>', description: 'its subject; without it one that says where and when' },
    { flags: '-y, --yes', description: 'do not ask before really sending' },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops send-test --to you@example.org --provider resend', what: 'does resend send?' },
    { line: 'email-ops send-test --to you@example.org --provider brevo --yes --json', what: 'the same, from a script' },
  ],
  exitCodes: '0 the provider took it, 1 it did not, 3 the email function could not be reached.',
  run,
};

/** What each kind of failure means for whoever looks into it. */
const MEANING: Readonly<Record<SendFailureKind, string>> = {
  permanent: 'This email can never be sent: look at the address and the content.',
  quota: 'The provider’s quota is used up: others take over; it resets by itself.',
  'rate-limited': 'The provider wants a pause: try again in a minute.',
  outage: 'The provider is down: look at its status page; email-ops providers disable takes it out.',
  refused:
    'The provider takes nothing from us: look at its API key, its verified domain, and the state of the account.',
  unanswered: 'Nobody knows whether it was sent: look into the inbox and the provider’s own log.',
  transient: 'It was not sent, for a reason we do not know: the words above are the provider’s.',
};

interface Step {
  readonly what: string;
  readonly isFine: boolean;
  readonly said: string;
}

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  const { to, provider } = options;
  if (to === undefined || provider === undefined) throw new UsageError('give --to and --provider');
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const supabase = needSupabase(systems);
  const target = systems.config.supabase;
  if (target === null) throw new CommandError('Supabase is not configured', { exitCode: EXIT.unreachable });
  const { name: where, isSandbox } = systems.config.environment;
  const email = testEmail({ to, subject: options.subject, by: operatorOf(environment).name, where, now: io.now() });
  const fault = findEmailFault({ recipientEmail: to, content: { ...email, text: null, from: null, fromName: null } });
  if (fault !== null) throw new UsageError(fault);

  const question = `Really send one email to ${maskEmail(to)} through ${provider} of ${where}?`;
  if (!isSandbox && options.yes !== true && !(await confirm(io, question, signal))) {
    throw new CommandError('Nothing was sent');
  }
  const look = lookOf(io);
  const steps: Step[] = [];
  const tell = (step: Step, role: Role = step.isFine ? 'ok' : 'critical') => {
    steps.push(step);
    if (options.json === true) return;
    const mark = paint(role, step.isFine ? '✓' : '✗', look);
    io.stdout.write(shown([`${mark} ${step.what}: ${step.said}`], look));
  };

  const mail = createEmailFunction({ ...target });
  tell(await lookFirst(mail, provider, signal), 'warning');
  const idempotencyKey = randomUUID();
  let outcome: SendOutcome;
  try {
    outcome = await mail.send({ to, ...email, provider, idempotencyKey, ignoreCircuit: true }, signal);
  } catch (error) {
    const words = error instanceof FaultError ? error.fault.message : String(error);
    tell({ what: 'send', isFine: false, said: cleanText(words, 300) });
    if (options.json === true) io.stdout.write(report({ to, provider, where, idempotencyKey, isSent: false, steps }));
    return EXIT.unreachable;
  }
  if (outcome.ok) {
    const id = outcome.messageId === null ? '' : `, message id ${cleanText(outcome.messageId, 120)}`;
    const said = `${outcome.provider} took the email to ${maskEmail(to)} in ${formatLatency(outcome.latencyMs)}${id}`;
    tell({ what: 'send', isFine: true, said });
    tell(await countIt(supabase, provider, systems.clock.nowEpochMs()));
  } else {
    tell({ what: 'send', isFine: false, said: cleanText(outcome.message, 300) });
    tell({ isFine: false, ...meaningOf(provider, outcome.message) });
  }
  if (options.json === true) {
    const messageId = outcome.ok ? outcome.messageId : null;
    io.stdout.write(report({ to, provider, where, idempotencyKey, isSent: outcome.ok, messageId, steps }));
  }
  return outcome.ok ? EXIT.ok : EXIT.failed;
}

function meaningOf(provider: Provider, message: string): Pick<Step, 'what' | 'said'> {
  if (/\bprovider_disabled\b/.test(message))
    return { what: 'disabled', said: `An operator took it out. Back at once: email-ops providers enable ${provider}` };
  const { kind } = classifySendFailure(provider, message);
  return { what: kind, said: MEANING[kind] };
}

/** What the function thinks of the provider now. A failure here does not keep anybody from trying. */
async function lookFirst(
  mail: ReturnType<typeof createEmailFunction>,
  provider: Provider,
  signal: AbortSignal,
): Promise<Step> {
  try {
    const { report: health } = await mail.health('status', signal);
    const found = health.providers.find((each) => each.provider === provider);
    const circuit = health.metrics.find((each) => each.provider === provider)?.circuitState ?? 'unknown';
    if (found === undefined) return { what: 'health', isFine: false, said: `the function does not know ${provider}` };
    const said = `${found.status}, score ${Math.round(found.healthScore)}, circuit ${cleanText(circuit, 20)}. ${cleanText(found.message ?? '', 200)}`;
    return { what: 'health', isFine: found.status === 'ok', said: said.trim() };
  } catch (error) {
    const words = error instanceof FaultError ? error.fault.message : String(error);
    return { what: 'health', isFine: false, said: cleanText(words, 300) };
  }
}

/** The function counts nothing, whoever sends does: else the quota would seem larger than it is. */
async function countIt(
  { client }: ReturnType<typeof needSupabase>,
  provider: Provider,
  nowEpochMs: number,
): Promise<Step> {
  try {
    const day = utcDay(nowEpochMs);
    const { data } = await answerOf(client.rpc('increment_provider_quota', { p_provider: provider, p_date: day }));
    return {
      what: 'quota',
      isFine: true,
      said: `counted, ${formatCount(typeof data === 'number' ? data : null)} today`,
    };
  } catch (error) {
    const words = error instanceof FaultError ? error.fault.message : String(error);
    return { what: 'quota', isFine: false, said: `not counted: ${cleanText(words, 200)}` };
  }
}

function testEmail(given: { to: string; subject: string | undefined; by: string; where: string; now: number }) {
  const at = formatInstant(given.now);
  const subject = given.subject ?? `Test from email-ops (${given.where}), ${at}`;
  const by = escapeHtml(cleanText(given.by, 60));
  const html = `<p>This is a test of the email system, sent by ${by} with email-ops at ${at}. Nothing needs to be done.</p>`;
  return { subject, html };
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function report(result: Record<string, unknown> & { readonly to: string }): string {
  return jsonLine({ ...result, to: maskEmail(result.to) });
}
