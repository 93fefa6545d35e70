/** What the Queue view alone keeps: filter, order, the loaded part of the list, what is selected, and the email that is open. */
import type { Fault } from '../../../domain/loaded.ts';
import type { QueueFilterTerms } from '../../../domain/queue-filter.ts';
import type { ErrorGroup, ErrorGroups, QueueItem, QueueQuery, QueueSort } from '../../../domain/queue-page.ts';
import type { LoadRequest } from '../../loaders.ts';
import type { State } from '../../state.ts';
import type { OpenEmail } from './email-details.ts';
import { EMPTY_LIST, type QueueList } from './queue-list.ts';

export interface QueueLocal {
  readonly filterText: string;
  /** What of the text could be understood. */
  readonly terms: QueueFilterTerms;
  readonly problem: string | null;
  readonly sort: QueueSort;
  /** Only what failed in this way. */
  readonly group: ErrorGroup | null;
  readonly isGrouped: boolean;
  readonly list: QueueList;
  readonly groups: GroupList;
  /** Selected with `v`, by id, with what was known of each. */
  readonly marked: ReadonlyMap<string, QueueItem>;
  readonly open: OpenEmail | null;
}

export interface GroupList {
  readonly groups: ErrorGroups | null;
  readonly selected: number;
  readonly fault: Fault | null;
  readonly loadedAtEpochMs: number | null;
  readonly asked: LoadRequest | null;
}

export const FIRST_LOCAL: QueueLocal = {
  filterText: '',
  terms: {},
  problem: null,
  sort: 'newest',
  group: null,
  isGrouped: false,
  list: EMPTY_LIST,
  groups: { groups: null, selected: 0, fault: null, loadedAtEpochMs: null, asked: null },
  marked: new Map(),
  open: null,
};

/** Whether the groups are shown: then the key goes back to the list. */
export function isShownGrouped({ local }: State): boolean {
  return (local.queue as QueueLocal | undefined)?.isGrouped === true;
}

export function queryOf({ terms, sort, group }: QueueLocal): QueueQuery {
  if (group === null) return { ...terms, sort };
  return { ...terms, status: group.status, errorKind: group.errorKind, sort };
}

export function selectedGroup({ groups }: QueueLocal): ErrorGroup | undefined {
  return groups.groups?.groups[groups.selected];
}
