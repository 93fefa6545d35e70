/** Doctor: does this machine's clock agree with the servers'? Signatures and leases are judged by the clock. */
import { formatLatency } from '../../domain/format.ts';
import type { Check, ServerClock } from './check.ts';

const WARNING_MS = 2_000;
/** From here on signatures and the ends of locks are misjudged. */
const FAILED_MS = 30_000;

export function checkClocks(clocks: readonly ServerClock[]): Check[] {
  if (clocks.length === 0) return [{ name: 'clocks', state: 'skipped', detail: 'no server told its time' }];
  return clocks.map(({ server, skewMs, uncertaintyMs }) => {
    const certainMs = Math.max(0, Math.abs(skewMs) - uncertaintyMs);
    if (certainMs < WARNING_MS) {
      const detail =
        certainMs === 0 ? `agrees to ${formatLatency(uncertaintyMs)}` : `differs by ${formatLatency(certainMs)}`;
      return { name: server, state: 'ok', detail };
    }
    const way = skewMs > 0 ? 'behind' : 'ahead of';
    return {
      name: server,
      state: certainMs < FAILED_MS ? 'warning' : 'failed',
      detail: `this machine is ${formatLatency(certainMs)} ${way} ${server}`,
      remedy: 'Let the machine keep time: timedatectl set-ntp true',
    };
  });
}
