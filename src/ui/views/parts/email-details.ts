/** One email as a panel: its fields, what was tried, what became of it, and its content as text. Pure. */
import type { DeadLetter, DeliveryLog, QueuedEmail } from '../../../domain/email.ts';
import { formatAge, formatInstant, formatLatency, plural } from '../../../domain/format.ts';
import type { Fault } from '../../../domain/loaded.ts';
import type { EmailDetails, ListedDeadLetter, QueueItem } from '../../../domain/queue-page.ts';
import { outside } from '../../../domain/state-words.ts';
import { wrap } from '../../../domain/width.ts';
import { inside, type Rect } from '../../layout.ts';
import { type Line, line, type Role, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { safeText } from '../../safe-text.ts';
import { addressed } from '../../words.ts';

export interface OpenEmail {
  readonly item: QueueItem;
  /** Undefined while it is loaded, null where the queue row is gone. */
  readonly details: EmailDetails | null | undefined;
  readonly fault: Fault | null;
  readonly loadedAtEpochMs: number | null;
  /** First line that is seen. */
  readonly scroll: number;
}

interface Looks {
  readonly isMasked: boolean;
  readonly nowEpochMs: number;
  readonly width: number;
}

export function detailsPanel(
  open: OpenEmail,
  rect: Rect,
  looks: { readonly isMasked: boolean; readonly nowEpochMs: number },
): Panel {
  const room = inside(rect);
  const lines = detailLines(open, { ...looks, width: room.width - 1 });
  const scroll = Math.min(open.scroll, lastScroll(lines.length, room.height));
  const shown = lines.slice(scroll, scroll + room.height).map((each) => [seg(' '), ...each]);
  const range = lines.length <= room.height ? '' : ` · ${scroll + 1}–${scroll + shown.length} of ${lines.length} lines`;
  const stale = open.fault === null || open.details === undefined ? [] : [seg(' · stale', 'warning')];
  const title = line(seg('Email ', 'strong'), seg(outside(open.item.id, 36)), seg(range, 'muted'), ...stale);
  return {
    id: 'queue-details',
    rect,
    frame: { title, role: open.fault === null ? 'accent' : 'warning' },
    lines: shown,
  };
}

/** How far the details can be scrolled in a rectangle. */
export function scrollEnd(open: OpenEmail, rect: Rect, isMasked: boolean, nowEpochMs: number): number {
  const room = inside(rect);
  return lastScroll(detailLines(open, { isMasked, nowEpochMs, width: room.width - 1 }).length, room.height);
}

function lastScroll(lines: number, height: number): number {
  return Math.max(0, lines - height);
}

function detailLines({ item, details, fault }: OpenEmail, looks: Looks): readonly Line[] {
  if (details === undefined) {
    if (fault === null) return [line(seg('loading…', 'muted'))];
    return [...wrapped(fault.message, looks, 'critical'), ...wrapped(fault.remedy ?? '', looks)];
  }
  if (details === null) return goneLines(item, looks);
  const { story, bodyLines } = details;
  const { email } = story;
  return [
    ...(item.kind === 'dead' ? letterLines(item, looks) : []),
    ...emailFields(email, looks),
    heading('What was tried'),
    ...timeline(story.logs, story.deadLetters, email, looks),
    ...(story.isGuess ? [line(seg('(deliveries to the same recipient since: a guess)', 'muted'))] : []),
    heading(email.content.html === null ? 'Content (text)' : 'Content (HTML as text)'),
    ...(bodyLines.length === 0 ? [line(seg('nothing', 'muted'))] : []),
    ...contentLines(bodyLines, looks),
  ];
}

function emailFields(email: QueuedEmail, looks: Looks): Line[] {
  const { content, lockedBy, lockedUntilEpochMs, nextRetryAtEpochMs } = email;
  const { nowEpochMs } = looks;
  const ago = (atEpochMs: number) => `${formatInstant(atEpochMs)}, ${formatAge(nowEpochMs - atEpochMs)} ago`;
  const due = nextRetryAtEpochMs === null ? 0 : nextRetryAtEpochMs - nowEpochMs;
  return [
    ...field('Status', `${email.status}, ${email.attempts} of ${email.maxAttempts} tries`, looks, statusRole(email)),
    ...(nextRetryAtEpochMs === null
      ? []
      : field('Next try', `${formatInstant(nextRetryAtEpochMs)}, ${due <= 0 ? 'due' : `in ${formatAge(due)}`}`, looks)),
    ...(lockedBy === null ? [] : field('Held by', `${lockedBy}, until ${formatInstant(lockedUntilEpochMs)}`, looks)),
    ...(email.lastError === null ? [] : field('Last error', email.lastError, looks, 'warning')),
    ...field('To', email.recipientEmail, looks),
    ...(content.from === null ? [] : field('From', `${content.fromName ?? ''} <${content.from}>`.trim(), looks)),
    ...field('Subject', content.subject ?? '(none)', looks, 'strong'),
    ...field(
      'Type',
      email.templateName === null ? email.emailType : `${email.emailType}, template ${email.templateName}`,
      looks,
    ),
    ...field('Enqueued', ago(email.createdAtEpochMs), looks),
    ...field('Changed', ago(email.updatedAtEpochMs), looks),
  ];
}

function letterLines(letter: ListedDeadLetter, looks: Looks): Line[] {
  const { failureReason, totalAttempts, movedAtEpochMs, reviewedAtEpochMs, failedProviders } = letter;
  const moved = `${formatInstant(movedAtEpochMs)}, ${formatAge(looks.nowEpochMs - movedAtEpochMs)} ago`;
  return [
    ...field('Dead letter', `${failureReason}, after ${plural(totalAttempts, 'try', 'tries')}`, looks, 'critical'),
    ...field('Moved', moved, looks),
    ...field('Reviewed', reviewedAtEpochMs === null ? 'not yet' : formatInstant(reviewedAtEpochMs), looks),
    ...field('Tried by', failedProviders.join(', ') || 'nobody', looks),
  ];
}

/** The queue row is gone: what the list told is all there is. */
function goneLines(item: QueueItem, looks: Looks): Line[] {
  return [
    ...(item.kind === 'dead' ? letterLines(item, looks) : []),
    ...(item.lastError === null ? [] : field('Last error', item.lastError, looks, 'warning')),
    ...field('To', item.recipientEmail, looks),
    ...field('Subject', item.subject ?? '(none)', looks, 'strong'),
    ...field('Type', item.emailType, looks),
    ...wrapped(`Its queue row is gone${item.kind === 'dead' ? '; R makes a new one' : ''}.`, looks, 'muted'),
  ];
}

interface Happened {
  readonly atEpochMs: number;
  readonly text: string;
  readonly role: Role;
}

/** Newest first. */
function timeline(
  logs: readonly DeliveryLog[],
  letters: readonly DeadLetter[],
  email: QueuedEmail,
  looks: Looks,
): readonly Line[] {
  const events = [...logs.map(delivery), ...letters.map(death)].toSorted((a, b) => b.atEpochMs - a.atEpochMs);
  if (events.length === 0) {
    const text = email.attempts === 0 ? 'nothing was tried yet' : 'no delivery is on record for it';
    return [line(seg(text, 'muted'))];
  }
  return events.flatMap(({ atEpochMs, text, role }) => field(formatInstant(atEpochMs).slice(5, -4), text, looks, role));
}

function delivery({
  createdAtEpochMs,
  provider,
  status,
  errorMessage,
  latencyMs,
  providerMessageId,
}: DeliveryLog): Happened {
  const took = latencyMs === null ? '' : ` in ${formatLatency(latencyMs)}`;
  const detail = errorMessage ?? providerMessageId ?? '';
  const isGood = status === 'sent' || status === 'delivered';
  const text = `${status} by ${provider}${took}${detail === '' ? '' : `: ${detail}`}`;
  return { atEpochMs: createdAtEpochMs, text, role: isGood ? 'ok' : 'warning' };
}

function death({ movedAtEpochMs, failureReason, totalAttempts, reviewedAtEpochMs }: DeadLetter): Happened {
  const reviewed = reviewedAtEpochMs === null ? 'not reviewed' : `reviewed ${formatInstant(reviewedAtEpochMs)}`;
  const text = `dead letter after ${plural(totalAttempts, 'try', 'tries')}: ${failureReason} (${reviewed})`;
  return { atEpochMs: movedAtEpochMs, text, role: 'critical' };
}

export function statusRole({ status }: { readonly status: string }): Role {
  return STATUS_ROLES[status] ?? 'text';
}

const STATUS_ROLES: Readonly<Record<string, Role>> = {
  processing: 'accent',
  completed: 'ok',
  failed: 'critical',
  dead: 'critical',
};

const LABEL_WIDTH = 13;
/** Characters of one text that are shown. */
const LONGEST = 1_800;

function heading(text: string): Line {
  return line(seg(`── ${text} `, 'muted'));
}

function field(label: string, text: string, looks: Looks, role: Role = 'text'): Line[] {
  const narrower = { ...looks, width: Math.max(8, looks.width - LABEL_WIDTH) };
  return wrapped(text, narrower, role).map((each, index) => [
    seg((index === 0 ? label : '').padEnd(LABEL_WIDTH), 'muted'),
    ...each,
  ]);
}

/** The last content that was wrapped: it may be long, and is drawn with each frame. */
let lastContent: { readonly of: readonly string[]; readonly looks: Looks; readonly lines: Line[] } | null = null;

function contentLines(bodyLines: readonly string[], looks: Looks): Line[] {
  const known = lastContent;
  if (known?.of === bodyLines && known.looks.width === looks.width && known.looks.isMasked === looks.isMasked)
    return known.lines;
  const lines = bodyLines.flatMap((each) => portions(each).flatMap((portion) => wrapped(portion, looks)));
  lastContent = { of: bodyLines, looks, lines };
  return lines;
}

/** A screen's line has a bound, which a paragraph may pass. */
function portions(paragraph: string): string[] {
  const found: string[] = [];
  let rest = paragraph;
  while (rest.length > LONGEST) {
    const space = rest.lastIndexOf(' ', LONGEST);
    const end = space > LONGEST / 2 ? space : LONGEST;
    found.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...found, rest];
}

/** Made safe first: what is cut later must be measured as it will be shown. */
function wrapped(text: string, { isMasked, width }: Looks, role: Role = 'text'): Line[] {
  if (text === '') return [[]];
  return wrap(safeText(addressed(text, isMasked, LONGEST)), Math.max(8, width)).map((each) => line(seg(each, role)));
}
