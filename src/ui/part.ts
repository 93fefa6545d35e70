/** The panel of one part of the picture: how it looks before it arrives, when it is old, and when it could not be read. */
import { formatAge } from '../domain/format.ts';
import type { Fault, Loaded } from '../domain/loaded.ts';
import { cleanText } from '../domain/text.ts';
import { wrap } from '../domain/width.ts';
import { inside, type Rect, titleRoom } from './layout.ts';
import { dimmed, type Line, line, type Role, seg, widthOf } from './line.ts';
import type { Panel, Plot } from './panel.ts';

export interface PartFrame<T> {
  readonly id: string;
  readonly rect: Rect;
  readonly title: string;
  /** Instead of it, where it does not fit beside what stands after it: longest first. */
  readonly shortTitles?: readonly string[];
  /** Null: not read yet. */
  readonly part: Loaded<T> | null;
  /** Until then; `connecting…` unless told. */
  readonly waits?: string;
  readonly nowEpochMs: number;
}

export interface PartBody {
  readonly lines: readonly Line[];
  /** Stands after the title. */
  readonly more?: Line;
  readonly role?: Role;
  readonly plot?: Plot;
}

/** `render` gets the value and the room inside the border. Old values are dimmed, and the title says how old and why. */
export function partPanel<T>(frame: PartFrame<T>, render: (value: T, room: Rect) => PartBody): Panel {
  const { id, rect, part, waits = 'connecting…' } = frame;
  const room = inside(rect);
  if (part === null) return { id, rect, frame: titled(frame, line(seg(waits, 'muted')), 'muted'), lines: [] };
  if (part.state === 'failed') return failedPanel(frame, part.error, room);
  const body = render(part.value, room);
  if (part.state === 'ok') {
    return {
      id,
      rect,
      frame: titled(frame, body.more ?? [], body.role ?? 'muted'),
      lines: body.lines,
      ...(body.plot === undefined ? {} : { plot: body.plot }),
    };
  }
  const age = formatAge(frame.nowEpochMs - part.atEpochMs);
  return {
    id,
    rect,
    frame: titled(frame, line(seg(`stale ${age}: ${faultWord(part.error)}`, 'warning')), 'warning'),
    lines: body.lines.map(dimmed),
    ...(body.plot === undefined ? {} : { plot: dimmedPlot(body.plot) }),
  };
}

/** A fault in a word or two. */
export function faultWord(fault: Fault): string {
  return fault.code.replaceAll('-', ' ');
}

function failedPanel<T>(frame: PartFrame<T>, error: Fault, room: Rect): Panel {
  const { id, rect } = frame;
  const isMeant = error.code === 'not-configured';
  const isWaiting = error.code === 'cancelled';
  const role: Role = isMeant || isWaiting ? 'muted' : 'critical';
  const message = wrap(cleanText(error.message, 400), Math.max(8, room.width)).map((text) => line(seg(text, role)));
  const remedy = wrap(cleanText(error.remedy ?? '', 400), Math.max(8, room.width)).map((text) => line(text));
  const title = isMeant ? 'not configured' : isWaiting ? 'waiting…' : `failed: ${faultWord(error)}`;
  return {
    id,
    rect,
    frame: titled(frame, line(seg(title, role)), role),
    lines: isWaiting ? [] : [...message, ...remedy],
  };
}

function titled<T>(frame: PartFrame<T>, more: Line, role: Role): NonNullable<Panel['frame']> {
  const titles = [frame.title, ...(frame.shortTitles ?? [])].map((title): Line => {
    const separator = title === '' || more.length === 0 ? '' : ' · ';
    return [...line(seg(title, 'strong'), seg(separator, 'muted')), ...more];
  });
  const title = titles.find((each) => widthOf(each) <= titleRoom(frame.rect)) ?? titles.at(-1) ?? [];
  return { title, role };
}

function dimmedPlot(plot: Plot): Plot {
  return { ...plot, traces: plot.traces.map((trace) => ({ ...trace, role: 'muted' })) };
}
