/** What the view *Providers* remembers: its selection, and what it has asked for and got. Pure. */
import { failedAfter, type Loaded, lastValue, loaded } from '../../../domain/loaded.ts';
import type { ProviderDetails } from '../../../domain/provider-details.ts';
import { bucketMsFor, type ProviderHistory } from '../../../domain/provider-history.ts';
import type { ProviderState } from '../../../domain/provider-state.ts';
import { MINUTE_MS, SECOND_MS } from '../../../domain/time.ts';
import { rangeOf } from '../../chart.ts';
import type { LoadRequest, LoadResult } from '../../loaders.ts';
import type { Effect, State } from '../../state.ts';
import type { ViewEvent, ViewStep } from '../../view.ts';
import { type ProviderRow, providerRows } from './provider-rows.ts';
import { FIRST, indexIn, type Selection } from './selection.ts';

export interface ProvidersLocal {
  readonly selection: Selection;
  readonly isOpen: boolean;
  /** First line of the details that is seen. */
  readonly scroll: number;
  readonly history: Asked<ProviderHistory, number> | null;
  readonly states: Asked<readonly ProviderState[], 'all'> | null;
  readonly details: Asked<ProviderDetails, string> | null;
}

/** What was asked for, when, and what came. */
export interface Asked<T, Question> {
  readonly question: Question;
  readonly atEpochMs: number;
  /** Null: on its way. */
  readonly answer: Loaded<T> | null;
}

export const INITIAL: ProvidersLocal = {
  selection: FIRST,
  isOpen: false,
  scroll: 0,
  history: null,
  states: null,
  details: null,
};

export function rowsOfView(state: State, { states }: ProvidersLocal): readonly ProviderRow[] {
  const { answer } = states ?? { answer: null };
  return providerRows(state, answer === null ? [] : (lastValue(answer) ?? []));
}

export function selectedRow(state: State, local: ProvidersLocal): ProviderRow | undefined {
  const { selection } = local;
  const rows = rowsOfView(state, local);
  return rows[
    indexIn(
      rows.map(({ provider }) => provider),
      selection,
    )
  ];
}

const AGAIN_AFTER_FAULT_MS = 10 * SECOND_MS;
const DETAILS_GOOD_FOR_MS = MINUTE_MS;
const STATES_GOOD_FOR_MS = 15 * SECOND_MS;

/** Asks for what is missing, old, or belongs to another question. While the picture is frozen only for what is missing. */
export function asking(state: State, local: ProvidersLocal): ViewStep<ProvidersLocal> {
  const rangeMs = rangeOf(state.chart).ms;
  const provider = local.isOpen ? selectedRow(state, local)?.provider : undefined;
  const history = due(state, local.history, rangeMs, Math.max(MINUTE_MS, bucketMsFor(rangeMs) / 3));
  const details = provider === undefined ? null : due(state, local.details, provider, DETAILS_GOOD_FOR_MS);
  const states = due(state, local.states, 'all' as const, STATES_GOOD_FOR_MS);
  const effects: Effect[] = [
    ...(history === null ? [] : [loadOf({ kind: 'provider-history', rangeMs })]),
    ...(states === null ? [] : [loadOf({ kind: 'provider-states' })]),
    ...(details === null || provider === undefined ? [] : [loadOf({ kind: 'provider-details', provider })]),
  ];
  return {
    local: {
      ...local,
      history: history ?? local.history,
      states: states ?? local.states,
      details: details ?? local.details,
    },
    effects,
  };
}

function loadOf(request: LoadRequest): Effect {
  return { kind: 'load', view: 'providers', request };
}

/** The question as asked now, or null where what is known is good enough or on its way. */
function due<T, Question>(
  { nowEpochMs, frozen, connection }: State,
  asked: Asked<T, Question> | null,
  question: Question,
  goodForMs: number,
): Asked<T, Question> | null {
  if (connection.kind !== 'open') return null;
  const isSame = asked?.question === question;
  if (asked !== null && isSame) {
    const { answer, atEpochMs } = asked;
    // Without an answer it is on its way: it comes, or a fault does.
    if (answer === null || (answer.state === 'ok' && frozen !== null)) return null;
    const patienceMs = answer.state === 'ok' ? goodForMs : AGAIN_AFTER_FAULT_MS;
    if (nowEpochMs - atEpochMs < patienceMs) return null;
  }
  return { question, atEpochMs: nowEpochMs, answer: isSame ? (asked?.answer ?? null) : null };
}

/** An answer to a question that is not asked any more is dropped. */
export function answered(
  state: State,
  event: Extract<ViewEvent, { type: 'loaded' }>,
  local: ProvidersLocal,
): ProvidersLocal {
  if (event.kind === 'provider-history' && local.history?.question === event.request.rangeMs) {
    const answer = answerOf(state, local.history.answer, event.result);
    return { ...local, history: { ...local.history, answer } };
  }
  if (event.kind === 'provider-states' && local.states !== null) {
    return { ...local, states: { ...local.states, answer: answerOf(state, local.states.answer, event.result) } };
  }
  if (event.kind === 'provider-details' && local.details?.question === event.request.provider) {
    const answer = answerOf(state, local.details.answer, event.result);
    return { ...local, details: { ...local.details, answer } };
  }
  return local;
}

function answerOf<T>(state: State, previous: Loaded<T> | null, result: LoadResult<T>): Loaded<T> {
  if (result.ok) return loaded(result.value, state.nowEpochMs);
  return failedAfter(previous ?? undefined, result.fault);
}
/** Whether what is selected is disabled: then the key enables it. */
export function isSelectedDisabled(state: State): boolean {
  const local = state.local.providers as ProvidersLocal | undefined;
  return (selectedRow(state, local ?? INITIAL)?.disabled ?? null) !== null;
}

/** What belongs to the chosen range; what was read for another one would be drawn wrongly. */
export function historyPart(state: State, { history }: ProvidersLocal): Loaded<ProviderHistory> | null {
  return history?.question === rangeOf(state.chart).ms ? history.answer : null;
}

/** Keeps the answer, to be asked for anew. */
export function outdated<T, Question>(asked: Asked<T, Question> | null): Asked<T, Question> | null {
  return asked === null || asked.answer === null ? null : { ...asked, atEpochMs: 0 };
}
