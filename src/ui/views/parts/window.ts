/** Which part of a list is seen: the selection stays in the middle, and moves only where the list begins and ends. Pure. */

export interface Window {
  readonly first: number;
  /** Behind the last that is seen. */
  readonly end: number;
}

export function windowOf(count: number, selected: number, height: number): Window {
  const room = Math.max(0, height);
  const first = Math.max(0, Math.min(selected - Math.floor(room / 2), count - room));
  return { first, end: Math.min(count, first + room) };
}

/** The index after a movement, within the list. */
export function movedIndex(index: number, count: number, by: number): number {
  return Math.max(0, Math.min(count - 1, index + by));
}
