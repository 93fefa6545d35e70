/** What the view *Schedules* read beyond the snapshot, put to what it knew before. Pure. */
import type { DeadDeliveries } from '../../../domain/delivery.ts';
import type { LoadEvent, LoadResult } from '../../loaders.ts';
import type { Read, SchedulesLocal } from './schedule-rows.ts';

export function withLoaded(local: SchedulesLocal, event: LoadEvent): SchedulesLocal {
  if (event.kind === 'deliveries') {
    const { scheduleId } = event.request;
    const known = local.deliveries[scheduleId] ?? null;
    return { ...local, deliveries: { ...local.deliveries, [scheduleId]: readOf(known, event.result) } };
  }
  if (event.kind !== 'dead-deliveries') return local;
  const { request, result } = event;
  const known = local.dead?.value ?? null;
  const whole = result.ok ? joined(known, result.value, request.cursor !== null) : null;
  const dead = readOf(local.dead, whole === null ? result : { ok: true, value: whole });
  return { ...local, dead, isLoadingMore: false };
}

/** A next page goes below; a first page that is read anew keeps the pages that were below it. */
function joined(known: DeadDeliveries | null, page: DeadDeliveries, isNext: boolean): DeadDeliveries {
  if (known === null) return page;
  if (isNext) return { ...page, messages: [...known.messages, ...page.messages] };
  const last = page.messages.at(-1);
  const at = known.messages.findIndex(({ id }) => id === last?.id);
  const below = page.cursor === null || at < 0 ? [] : known.messages.slice(at + 1);
  return below.length === 0 ? page : { ...known, messages: [...page.messages, ...below] };
}

/** What was delivered again or deleted is gone, on whichever page it was. */
export function without(local: SchedulesLocal, ids: readonly string[]): SchedulesLocal {
  const read = local.dead?.value ?? null;
  if (read === null) return { ...local, marked: [] };
  const messages = read.messages.filter(({ id }) => !ids.includes(id));
  return { ...local, marked: [], dead: { value: { ...read, messages }, fault: local.dead?.fault ?? null } };
}

/** A failure keeps what was read before. */
function readOf<T>(known: Read<T>, result: LoadResult<T>): Read<T> {
  if (result.ok) return { value: result.value, fault: null };
  return known?.value == null ? { value: null, fault: result.fault } : { value: known.value, fault: result.fault };
}
