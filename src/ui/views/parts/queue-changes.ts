/** Retry and discard in the Queue view: what they mean for, why they can't be done, and what is asked before. Pure. */
import { formatCount, plural } from '../../../domain/format.ts';
import type { ListedStatus, QueueItem } from '../../../domain/queue-page.ts';
import { outside } from '../../../domain/state-words.ts';
import { wrap } from '../../../domain/width.ts';
import type { ActionRequest } from '../../actions.ts';
import { environmentField } from '../../confirm.ts';
import type { Form } from '../../dialog.ts';
import { type Line, line, seg } from '../../line.ts';
import type { State } from '../../state.ts';
import { addressed } from '../../words.ts';
import { selectedItem } from './queue-list.ts';
import { type QueueLocal, selectedGroup } from './queue-local.ts';
import { kindWords } from './queue-panels.ts';

export type Change = 'retry' | 'discard';

/** What a change would be done to. */
interface Target {
  readonly request: ActionRequest;
  readonly count: number;
  readonly explain: readonly Line[];
  /** Selected, but it makes no sense for them. */
  readonly leftOut: number;
}

/** Why it can't be done now, or null. */
export function whyNotChange(change: Change, local: QueueLocal): string | null {
  if (isForGroup(local)) {
    const group = selectedGroup(local);
    if (group === undefined) return 'there is no group';
    return group.status === 'processing' ? 'these are being sent' : null;
  }
  if (local.marked.size > 0) return chosen(change, local).length > 0 ? null : 'none of the selected can be changed so';
  const item = only(local);
  return item === undefined ? 'nothing is selected' : unchangeable(change, item);
}

/** The question that is asked first. */
export function changeForm(change: Change, state: State, local: QueueLocal): Form | null {
  const target = targetOf(change, state, local);
  if (target === null) return null;
  const { request, count, explain, leftOut } = target;
  const emails = plural(count, 'email');
  const status = statusOf(local);
  const left =
    leftOut === 0 ? [] : [line(seg(`${plural(leftOut, 'other')} selected left out: sent, or done already`, 'muted'))];
  const needsName = count > 1 || change === 'discard';
  return {
    kind: 'form',
    title: `${change === 'retry' ? 'Retry' : 'Discard'} ${emails}`,
    explain: [...explain, ...left, ...consequence(change, status)],
    fields: needsName ? environmentField(state) : [],
    focus: 0,
    verb: `${change} ${emails}`,
    isDangerous: change === 'discard',
    purpose: { kind: 'act', request },
  };
}

function consequence(change: Change, status: ListedStatus | null): Line[] {
  if (change === 'retry') {
    return [
      line('They are due now; what had failed gets all its attempts again.'),
      line('Workers send them at their next run.'),
    ];
  }
  if (status === 'dead') return [line('Marked as reviewed; the emails stay failed and are not sent.')];
  return [line('Taken out of the queue for good; kept as reviewed dead letters.')];
}

function targetOf(change: Change, state: State, local: QueueLocal): Target | null {
  if (isForGroup(local)) {
    const group = selectedGroup(local);
    if (group === undefined) return null;
    const { status, errorKind, count } = group;
    const explain = [
      line(`All ${formatCount(count)} ${status} with the error`),
      ...wrap(`"${kindWords(group)}"`, ERROR_WIDTH).map((text) => line(seg(text, 'strong'))),
    ];
    return { request: { kind: change, target: { by: 'error', status, errorKind } }, count, explain, leftOut: 0 };
  }
  const items = chosen(change, local);
  const [first] = items;
  if (first === undefined) return null;
  const ids = items.map(({ id }) => id);
  const marked = local.open === null ? local.marked.size : 0;
  return {
    request: requestFor(change, first.kind, ids),
    count: ids.length,
    explain: listed(items, state),
    leftOut: marked === 0 ? 0 : marked - items.length,
  };
}

function requestFor(change: Change, kind: QueueItem['kind'], ids: readonly string[]): ActionRequest {
  if (kind === 'email') return { kind: change, target: { by: 'ids', ids } };
  return change === 'retry'
    ? { kind: 'redrive', deadLetterIds: ids }
    : { kind: 'discard', target: { by: 'letters', ids } };
}

const LISTED = 6;
/** Forms are at least so wide inside. */
const ERROR_WIDTH = 54;

function listed(items: readonly QueueItem[], { isMasked }: State): Line[] {
  const shown = items
    .slice(0, LISTED)
    .map((item) =>
      line(
        seg(`· ${outside(item.id.slice(0, 8), 8)} `, 'muted'),
        addressed(item.recipientEmail, isMasked, 40),
        seg(` ${addressed(item.subject ?? '', isMasked, 60)}`, 'muted'),
      ),
    );
  return items.length <= LISTED
    ? shown
    : [...shown, line(seg(`… and ${formatCount(items.length - LISTED)} more`, 'muted'))];
}

function chosen(change: Change, local: QueueLocal): readonly QueueItem[] {
  const item = only(local);
  const all =
    local.open === null && local.marked.size > 0 ? [...local.marked.values()] : item === undefined ? [] : [item];
  // Several retried at once must not bring back what somebody took out on purpose.
  const isWanted = (each: QueueItem) => all.length === 1 || each.kind === 'dead' || !each.isDiscarded;
  return all.filter((each) => unchangeable(change, each) === null && isWanted(each));
}

/** Details stand for their email, whatever else is selected. */
function only(local: QueueLocal): QueueItem | undefined {
  return local.open?.item ?? selectedItem(local.list);
}

function isForGroup(local: QueueLocal): boolean {
  return local.isGrouped && local.open === null;
}

function statusOf(local: QueueLocal): ListedStatus | null {
  return (isForGroup(local) ? selectedGroup(local)?.status : (local.group?.status ?? local.terms.status)) ?? null;
}

/** A lease that ran out the database knows better than a list that is seconds old: it decides there. */
function unchangeable(change: Change, item: QueueItem): string | null {
  if (item.kind === 'dead') return null;
  if (item.status === 'completed') return 'it was sent already';
  return change === 'discard' && item.isDiscarded ? 'it was discarded already' : null;
}
