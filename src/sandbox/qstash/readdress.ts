/**
 * Follows the sandbox to its new address. Its port is another at every start, and what still waits for the workers at the
 * former one would be called where nobody is, and end as dead letters of a system in which nothing is wrong.
 */
import type { Template } from './records.ts';
import type { Store } from './store.ts';

/** Everything that is kept for the sandbox's former origin goes to this one, such as `http://127.0.0.1:40000`, from now on. */
export function moveTo(store: Store, origin: string): void {
  const former = store.origin();
  store.setOrigin(origin);
  if (former === null || former === origin) return;
  const moved = (url: string) => (url.startsWith(`${former}/`) ? origin + url.slice(former.length) : url);
  const readdress = <T extends Template>(template: T): T => ({
    ...template,
    url: moved(template.url),
    ...(template.callback !== undefined && { callback: moved(template.callback) }),
    ...(template.failureCallback !== undefined && { failureCallback: moved(template.failureCallback) }),
  });
  for (const message of store.messages.all()) store.messages.put(readdress(message));
  for (const schedule of store.schedules.all()) {
    store.schedules.put({ ...schedule, template: readdress(schedule.template) });
  }
  for (const letter of store.deadLetters.all()) {
    store.deadLetters.put({ ...letter, message: readdress(letter.message) });
  }
}
