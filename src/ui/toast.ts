/** What is going on and what came of it: at the foot of the view, over it. Pure. */
import { formatAge } from '../domain/format.ts';
import { wrap } from '../domain/width.ts';
import type { ActionRequest } from './actions.ts';
import type { Rect } from './layout.ts';
import { cut, fill, type Line, line, type Role, seg } from './line.ts';
import { bare, type Panel } from './panel.ts';
import { safeText } from './safe-text.ts';
import type { Notice, Running, State } from './state.ts';

export function toastPanel(state: State, body: Rect): Panel | null {
  const most = Math.max(1, Math.floor(body.height / 4));
  const notices = state.notice === null ? [] : [...state.noticesBefore, state.notice];
  const lines = [
    ...state.running.map((running) => runningLine(running, state)),
    ...notices.flatMap((notice) => noticeLines(notice, { most, width: body.width, isLast: notice === state.notice })),
  ];
  const shown = lines.slice(-most);
  if (shown.length === 0) return null;
  const rect = { x: body.x, y: body.y + body.height - shown.length, width: body.width, height: shown.length };
  return bare(
    'toast',
    rect,
    shown.map((each) => fill(cut(each, body.width), body.width)),
  );
}

function runningLine({ request, progress, startedAtEpochMs }: Running, { nowEpochMs }: State): Line {
  const age = nowEpochMs - startedAtEpochMs;
  const text = progress?.text ?? (age < 2_000 ? '…' : `… ${formatAge(age)}`);
  return line(seg(' ▸ ', 'accent'), seg(whatWords(request), 'strong'), ` ${text}`);
}

const BADGES: Readonly<Record<Notice['level'], { role: Role; word: string }>> = {
  ok: { role: 'badge-ok', word: ' DONE ' },
  warning: { role: 'badge-warning', word: ' NOTE ' },
  critical: { role: 'badge-critical', word: ' FAILED ' },
};

const ESCAPE = '  Esc';

/** Whole: the end of a sentence says what to do. */
function noticeLines(
  { level, text }: Notice,
  { most, width, isLast }: { readonly most: number; readonly width: number; readonly isLast: boolean },
): Line[] {
  const { role, word } = BADGES[level];
  const room = Math.max(10, width - word.length - 1);
  const wrapped = wrap(safeText(text), room);
  const rows = wrapped.length <= most ? wrapped : [...wrapped.slice(0, most - 1), wrapped.slice(most - 1).join(' ')];
  return rows.map((row, index) =>
    line(
      index === 0 ? seg(word, role) : ' '.repeat(word.length),
      ...cut(line(` ${row}`), room + 1),
      seg(isLast && index === rows.length - 1 && row.length + ESCAPE.length <= room ? ESCAPE : '', 'muted'),
    ),
  );
}

/** What is being done, and where it runs. */
export function whatWords(request: ActionRequest): string {
  switch (request.kind) {
    case 'pause':
      return `pausing for ${formatAge(request.forMs)}`;
    case 'resume':
      return 'resuming';
    case 'run':
      return `${request.worker} runs here`;
    case 'workers':
      return request.on ? 'starting the workers here' : 'stopping the workers here';
    case 'acknowledge':
      return 'acknowledging';
    case 'retry':
      return 'retrying';
    case 'redrive':
      return 'putting back into the queue';
    case 'discard':
      return 'discarding';
    case 'schedule':
      return `${request.change} of ${request.id}, through QStash`;
    case 'dead-delivery':
      return request.change === 'retry' ? 'delivering again, through QStash' : 'deleting at QStash';
    case 'reset-circuit':
      return `resetting the circuit of ${request.provider}`;
    case 'disable-provider':
      return `disabling ${request.provider}`;
    case 'enable-provider':
      return `enabling ${request.provider}`;
    case 'unmask':
      return request.on ? 'showing addresses' : 'masking addresses';
    case 'report':
      return 'saving the report';
    default:
      return request satisfies never;
  }
}
