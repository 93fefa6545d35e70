/** What the view *Providers* asks before it disables a provider, enables it, or resets its circuit. Pure. */
import { isProvider } from '../../../domain/email.ts';
import { formatAge } from '../../../domain/format.ts';
import { remainingToday } from '../../../domain/quota.ts';
import { outside, whenWords } from '../../../domain/state-words.ts';
import { DAY_MS, MINUTE_MS } from '../../../domain/time.ts';
import { parseUntil } from '../../../domain/until.ts';
import type { ActionRequest } from '../../actions.ts';
import { type Form, withError } from '../../dialog.ts';
import { type Line, line, seg } from '../../line.ts';
import type { State } from '../../state.ts';
import { textLines } from './facts.ts';
import type { ProviderRow } from './provider-rows.ts';

const TEXT_WIDTH = 66;
export const DISABLE_FORM = 'disable';

export function resetForm({ provider }: ProviderRow): Form | null {
  if (!isProvider(provider)) return null;
  return asking({
    title: `Reset the circuit of ${provider}`,
    explain: said(
      'The circuit is closed; recent failures and a used-up quota that it reported are forgotten, so that it is chosen again at once. If it is still down, sends fail until the circuit opens again.',
    ),
    verb: 'reset it',
    request: { kind: 'reset-circuit', provider },
  });
}

/** Asks until when, or, where it is disabled already, whether to enable it. */
export function disableForm(state: State, row: ProviderRow, rows: readonly ProviderRow[]): Form | null {
  const { provider, disabled } = row;
  if (!isProvider(provider)) return null;
  if (disabled !== null) {
    const why = disabled.reason === '' ? '' : `, "${outside(disabled.reason, 120)}"`;
    return asking({
      title: `Enable ${provider}`,
      explain: said(
        `${outside(disabled.by, 60)} disabled it until ${whenWords(disabled.untilEpochMs, state.nowEpochMs)}${why}.`,
      ),
      verb: 'enable it',
      request: { kind: 'enable-provider', provider },
    });
  }
  const others = rows.filter((each) => each.provider !== provider && canSend(each));
  return {
    kind: 'form',
    title: `Disable ${provider}`,
    explain: [
      ...said('Nothing goes through it until then: neither our workers nor the email function use it.'),
      ...(others.length > 0
        ? said(`Left to send: ${others.map((each) => each.provider).join(', ')}.`)
        : [line(seg('No other provider can send now: no email will leave.', 'critical'))]),
    ],
    fields: [
      { name: 'until', label: 'Until (2h, 14:30 UTC)', value: '', placeholder: '1h' },
      { name: 'reason', label: 'Why', value: '', placeholder: 'no reason given' },
    ],
    focus: 0,
    verb: 'disable it',
    isDangerous: others.length === 0,
    purpose: { kind: 'view', view: 'providers', id: `${DISABLE_FORM}/${provider}` },
  };
}

function canSend({ health, quota, disabled, metrics }: ProviderRow): boolean {
  const isUp = health === null || health.status === 'ok' || health.status === 'degraded';
  return isUp && disabled === null && metrics?.circuitState !== 'open' && (quota === null || remainingToday(quota) > 0);
}

const SHORTEST_MS = MINUTE_MS;
const LONGEST_MS = 31 * DAY_MS;
const DEFAULT_UNTIL = '1h';

/** What was typed as a request, or the form again with what is wrong. */
export function disableRequest(
  form: Form,
  values: Readonly<Record<string, string>>,
  { provider, nowEpochMs }: { readonly provider: string; readonly nowEpochMs: number },
): ActionRequest | Form {
  const text = values.until === undefined || values.until === '' ? DEFAULT_UNTIL : values.until;
  const untilEpochMs = parseUntil(text, nowEpochMs);
  const ms = untilEpochMs === null ? 0 : untilEpochMs - nowEpochMs;
  if (untilEpochMs === null || !isProvider(provider) || ms < SHORTEST_MS || ms > LONGEST_MS) {
    const fields = form.fields.map((field) => ({ ...field, value: values[field.name] ?? '' }));
    const error = `a length such as 30m, 2h, 3d, or a time such as 14:30 (UTC); ${formatAge(SHORTEST_MS)} to ${formatAge(LONGEST_MS)}`;
    return withError({ ...form, fields }, 0, error);
  }
  return { kind: 'disable-provider', provider, untilEpochMs, reason: values.reason ?? '' };
}

function asking({
  title,
  explain,
  verb,
  request,
}: {
  readonly title: string;
  readonly explain: readonly Line[];
  readonly verb: string;
  readonly request: ActionRequest;
}): Form {
  return {
    kind: 'form',
    title,
    explain,
    fields: [],
    focus: 0,
    verb,
    isDangerous: false,
    purpose: { kind: 'act', request },
  };
}

function said(text: string): readonly Line[] {
  return textLines(text, TEXT_WIDTH);
}
