/** The Redis keys of WIRE.md, each named once. */
export const KEY = {
  lock: 'email:queue:lock',
  pause: 'email:queue:pause',
  /** When the holder of the lock was last seen to renew it. */
  lockSeen: 'email:queue:lock:seen',
  stats: 'email:stats:daily',
  healthLatest: 'email:health:latest',
  healthError: 'email:health:error',
  alerts: 'email:alerts:critical',
  acked: 'email:alerts:acked',
  metrics: 'email:metrics:timeseries',
  quota: 'email:quota:latest',
  runs: 'email:runs',
  audit: 'email:ops:audit',
  due: 'email:workers:due',
  told: 'email:ops:told',
  /** Another value whenever ours changed runs and counts, or alerts: one look tells whether to read them. */
  runsMark: 'email:ops:mark:runs',
  alertsMark: 'email:ops:mark:alerts',
} as const;

/** `email:queue:lock`, `email:queue:lock:2`, … in order: one for each worker that may send at once (`EMAIL_WORKER_SLOTS`). */
export function lockKeys(slots: number): readonly string[] {
  return Array.from({ length: slots }, (_, index) => (index === 0 ? KEY.lock : `${KEY.lock}:${index + 1}`));
}
