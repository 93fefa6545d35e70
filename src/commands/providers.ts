/** `email-ops providers`: how the providers stand, taking one out until a time, and resetting its circuit. All of it audited. */
import { createAudit } from '../data/audit.ts';
import { createProviderGateway, type ProviderGateway } from '../data/providers.ts';
import { isProvider, PROVIDERS, type Provider } from '../domain/email.ts';
import { formatClock, formatCount, formatInstant, formatLatency, formatLeft, formatPercent } from '../domain/format.ts';
import { standingOf } from '../domain/provider-record.ts';
import { disabledUntilEpochMs, type ProviderState } from '../domain/provider-state.ts';
import { cleanText } from '../domain/text.ts';
import { HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import { wrap } from '../domain/width.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, needSupabase, type Systems } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { operatorOf } from './operator.ts';
import { JSON_OPTION, parseDuration } from './options.ts';
import { refuseReadOnly } from './pause.ts';
import { lookOf, shown } from './render/look.ts';
import { type Column, table } from './render/table.ts';

type Options = { for?: number; reason?: string; yes?: boolean; json?: boolean };

const DEFAULT_MS = HOUR_MS;
const LONGEST_MS = 30 * 24 * HOUR_MS;
const YES = { flags: '-y, --yes', description: 'do not ask' } as const;
const EXIT_CODES = '0 done, 1 not, 3 Postgres could not be reached.';
const PROVIDER = { name: '<provider>', description: PROVIDERS.join(', ') };

const list: Command<Options> = {
  name: 'list',
  summary: 'circuit, health, quota and who is disabled, as the email function keeps them in Postgres',
  options: [JSON_OPTION],
  examples: [{ line: 'email-ops providers list', what: 'how the four stand' }],
  exitCodes: '0 they were listed, 3 Postgres could not be reached.',
  run: runList,
};

const disable: Command<Options> = {
  name: 'disable',
  summary: 'let nothing go through a provider for a while',
  arguments: [PROVIDER],
  options: [
    { flags: '--for <time>', description: 'how long, 1m to 720h, 1h unless told', parse: parseLength },
    { flags: '--reason <text>', description: 'why; everybody sees it' },
    YES,
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops providers disable resend --for 2h --reason "bounces"', what: 'send through the others' },
  ],
  exitCodes: EXIT_CODES,
  run: (invocation) =>
    change(invocation, 'disable provider', async (gateway, provider, { systems, by }) => {
      const untilEpochMs = systems.clock.nowEpochMs() + (invocation.options.for ?? DEFAULT_MS);
      const reason = cleanText(invocation.options.reason ?? '', 200);
      await gateway.disableUntil(provider, { untilEpochMs, by, reason });
      return `${provider} is disabled until ${formatInstant(untilEpochMs)}. Back at once: email-ops providers enable ${provider}`;
    }),
};

const enable: Command<Options> = {
  name: 'enable',
  summary: 'let emails go through a disabled provider again',
  arguments: [PROVIDER],
  options: [JSON_OPTION],
  examples: [{ line: 'email-ops providers enable resend', what: 'before its time is over' }],
  exitCodes: EXIT_CODES,
  run: (invocation) =>
    change(invocation, 'enable provider', async (gateway, provider) =>
      (await gateway.enable(provider)) ? `${provider} is enabled.` : `${provider} was not disabled.`,
    ),
};

const reset: Command<Options> = {
  name: 'reset',
  summary: 'close a provider’s circuit and forget its recent failures, so that it is chosen again at once',
  arguments: [PROVIDER],
  options: [YES, JSON_OPTION],
  examples: [{ line: 'email-ops providers reset brevo', what: 'after it was repaired' }],
  exitCodes: EXIT_CODES,
  run: (invocation) =>
    change(invocation, 'reset circuit', async (gateway, provider) => {
      await gateway.resetCircuit(provider);
      return `The circuit of ${provider} is closed. To see whether it works: email-ops send-test --provider ${provider} --to <address>`;
    }),
};

export const providers: Command = {
  name: 'providers',
  summary: 'list providers, disable and enable them, reset their circuits',
  options: [],
  examples: [
    { line: 'email-ops providers list', what: 'how the four stand' },
    { line: 'email-ops providers disable resend --for 2h', what: 'send through the others for two hours' },
  ],
  subcommands: [list as Command, disable as Command, enable as Command, reset as Command],
};

async function runList({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  const states = await createProviderGateway(needSupabase(systems).client).read(signal);
  const now = systems.clock.nowEpochMs();
  if (options.json === true) {
    io.stdout.write(jsonLine({ providers: states.map((state) => providerJson(state, now)) }));
    return EXIT.ok;
  }
  const look = lookOf(io);
  const remarks = states.flatMap((state) => notes(state, now).map((note) => `${state.provider}: ${note}`));
  const below = remarks.flatMap((remark) => wrap(remark, look.columns));
  io.stdout.write(shown([...table(columns(now), states, look), ...below], look));
  return EXIT.ok;
}

function columns(nowEpochMs: number): readonly Column<ProviderState>[] {
  const standing = ({ record }: ProviderState) => standingOf(record, nowEpochMs);
  // All of none would have worked, within 0 ms.
  const recent = (state: ProviderState) => (standing(state).observed === 0 ? null : standing(state));
  return [
    { title: 'provider', cell: ({ provider }) => provider },
    {
      title: 'circuit',
      cell: (state) => standing(state).circuitState,
      role: (state) => (standing(state).circuitState === 'closed' ? undefined : 'critical'),
    },
    { title: 'score', align: 'right', cell: (state) => String(standing(state).healthScore) },
    { title: 'success', align: 'right', cell: (state) => formatPercent(recent(state)?.successRatePercent ?? null) },
    { title: 'latency', align: 'right', cell: (state) => formatLatency(recent(state)?.averageLatencyMs ?? null) },
    {
      title: 'today',
      align: 'right',
      cell: ({ quota }) => usedOf(quota.day),
    },
    { title: 'this month', align: 'right', cell: ({ quota }) => usedOf(quota.month) },
  ];
}

function usedOf({ sent, limit }: ProviderState['quota']['day']): string {
  return `${formatCount(sent)} of ${formatCount(limit)}`;
}

/** Without what the averages are kept by. */
function providerJson({ provider, record, quota, disabled, usedUpUntilEpochMs, check }: ProviderState, now: number) {
  const { circuitState, healthScore, successRatePercent, averageLatencyMs } = standingOf(record, now);
  const { totalRequests, successfulRequests, consecutiveFailures, lastError } = record;
  return {
    provider,
    standing: { circuitState, healthScore, successRatePercent, averageLatencyMs },
    record: {
      totalRequests,
      successfulRequests,
      consecutiveFailures,
      lastError,
      nextProbeAtEpochMs: record.circuit.nextRetryAtEpochMs,
    },
    quota,
    disabled,
    usedUpUntilEpochMs,
    check,
  };
}

function notes(state: ProviderState, nowEpochMs: number): readonly string[] {
  const until = disabledUntilEpochMs(state, nowEpochMs);
  const { disabled, usedUpUntilEpochMs, record } = state;
  const found: string[] = [];
  if (until !== null && disabled !== null) {
    const why = disabled.reason === '' ? '' : `: ${cleanText(disabled.reason, 200)}`;
    const left = formatLeft(until - nowEpochMs);
    found.push(`disabled by ${cleanText(disabled.by, 40)} until ${formatClock(until)} UTC (${left})${why}`);
  }
  if (usedUpUntilEpochMs !== null && usedUpUntilEpochMs > nowEpochMs) {
    found.push(`says that its quota is used up until ${formatInstant(usedUpUntilEpochMs)}`);
  }
  if (record.lastError !== null) found.push(`failed last with: ${cleanText(record.lastError, 200)}`);
  return found;
}

interface Doing {
  readonly systems: Systems;
  readonly by: string;
}

/** Asks where that is due, does it, writes the audit list, and says what happened. */
async function change(
  { options, arguments: [name], io, environment, signal }: Invocation<Options>,
  action: string,
  act: (gateway: ProviderGateway, provider: Provider, doing: Doing) => Promise<string>,
): Promise<number> {
  if (!isProvider(name)) throw new UsageError(`'${name}' is none of ${PROVIDERS.join(', ')}`);
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const gateway = createProviderGateway(needSupabase(systems).client);
  const { name: by, host } = operatorOf(environment);
  const asks = action !== 'enable provider' && !systems.config.environment.isSandbox && options.yes !== true;
  const question = `${action === 'reset circuit' ? 'Reset the circuit of' : 'Disable'} ${name} in ${systems.config.environment.name}?`;
  if (asks && !(await confirm(io, question, signal))) throw new CommandError('Nothing was changed');
  const said = await act(gateway, name, { systems, by });
  const entry = { atEpochMs: systems.clock.nowEpochMs(), by, host, action, target: name, outcome: 'ok' };
  const isWritten = await audit(systems, entry);
  if (!isWritten) io.stderr.write('email-ops: the audit list could not be written; it was done all the same.\n');
  io.stdout.write(options.json === true ? jsonLine({ provider: name, action, message: said }) : `${said}\n`);
  return EXIT.ok;
}

async function audit(
  { redis }: Systems,
  entry: Parameters<ReturnType<typeof createAudit>['append']>[0],
): Promise<boolean> {
  if (redis === null) return false;
  return createAudit(redis.client)
    .append(entry)
    .then(
      () => true,
      () => false,
    );
}

function parseLength(text: string): number {
  const ms = parseDuration(text);
  if (ms >= MINUTE_MS && ms <= LONGEST_MS) return ms;
  throw new UsageError(`'${text}' is not between 1m and 720h`);
}
