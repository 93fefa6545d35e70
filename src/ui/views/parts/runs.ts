/** Recent runs as a panel, local and remote; first of all what runs here now, and what was due and not seen. */
import { formatAge, formatClock, formatCount, formatLatency } from '../../../domain/format.ts';
import { lastValue } from '../../../domain/loaded.ts';
import { type MissedRun, missedRuns } from '../../../domain/missed.ts';
import type { RunFeed, RunRecord } from '../../../domain/run.ts';
import { runWords } from '../../../domain/run-words.ts';
import { outside } from '../../../domain/state-words.ts';
import type { Rect } from '../../layout.ts';
import { cut, fill, type Line, line, type Role, seg, widthOf } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { addressed } from '../../words.ts';

export function runsPanel(state: State, rect: Rect): Panel {
  const nowEpochMs = shownNow(state);
  const part = shownPicture(state).runs;
  return partPanel<RunFeed>({ id: 'runs', rect, title: 'Runs', part, nowEpochMs }, ({ runs }, room) => {
    const missed = missedHere(state);
    const lines = [
      ...missed.map((each) => missedLine(each)),
      ...runningLines(state),
      ...runs.slice(0, room.height).map((run) => runLine(run, state, room.width)),
    ];
    const shown = lines.length === 0 ? [line(seg('none recorded', 'muted'))] : lines;
    return {
      lines: shown.slice(0, room.height).map((each) => cut(each, room.width)),
      more: missed.length === 0 ? [] : line(seg(`${missed.length} due, not seen`, 'warning')),
      role: missed.length === 0 ? 'muted' : 'warning',
    };
  });
}

/** What was due and not seen, as far as schedules and runs are known. */
export function missedHere(state: State): readonly MissedRun[] {
  const { schedules, runs, queue } = shownPicture(state);
  const known = schedules === null ? undefined : lastValue(schedules);
  if (known === undefined) return [];
  const seen = runs === null ? [] : (lastValue(runs)?.runs ?? []);
  const completed = queue === null ? null : (lastValue(queue)?.lastCompletedAtEpochMs ?? null);
  return missedRuns(known, seen, shownNow(state), { 'queue-processor': completed });
}

function missedLine({ scheduleId, dueAtEpochMs, times }: MissedRun): Line {
  const often = times > 1 ? ` (${formatCount(times)} in a row)` : '';
  return line(seg(`! ${scheduleId} was due ${formatClock(dueAtEpochMs)}, not seen${often}`, 'warning'));
}

function runningLines(state: State): Line[] {
  return state.running.flatMap(({ request, startedAtEpochMs, progress }) => {
    if (request.kind !== 'run') return [];
    const text = progress?.text ?? 'begins';
    return [
      line(seg(`▸ ${request.worker} runs here, ${formatAge(state.nowEpochMs - startedAtEpochMs)}: ${text}`, 'accent')),
    ];
  });
}

const ROLES: Readonly<Record<string, Role>> = { ok: 'ok', failed: 'critical', aborted: 'warning' };

/** Who asked for it and where it ran is said where it fits whole. */
function runLine(run: RunRecord, state: State, cells: number): Line {
  const did = run.error === null ? runWords(run.worker, run) : addressed(run.error, state.isMasked, 200);
  const what = line(
    seg(`${formatClock(run.startedAtEpochMs)} `, 'muted'),
    ...fill(line(outside(run.worker, 30)), 16),
    ...fill(line(seg(outside(run.outcome, 12), ROLES[run.outcome] ?? 'muted')), 8),
    seg(`${formatLatency(run.durationMs).padStart(7)} `),
    seg(did, run.error === null ? 'text' : 'critical'),
  );
  const who = `${did === '' ? '' : ' '}${outside(run.trigger, 20)}@${outside(run.host, 40)}`;
  return widthOf(what) + who.length <= cells ? [...what, seg(who, 'muted')] : what;
}
