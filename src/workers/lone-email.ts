/** Waiting for the email that a run has claimed alone (claim_emails): nothing else is claimed before it is over. */

export interface LoneEmail {
  /** True once its result is written; false when it was given back, or the run stops. */
  untilOver(email: { readonly id: string }): Promise<boolean>;
  /** To be told of every email that is written or given back. */
  over(id: string, isWritten: boolean): void;
}

export function createLoneEmail(stopped: AbortSignal): LoneEmail {
  let waiting: { readonly id: string; readonly resolve: (isWritten: boolean) => void } | null = null;
  return {
    untilOver: ({ id }) =>
      new Promise((resolve) => {
        if (stopped.aborted) return resolve(false);
        waiting = { id, resolve };
        stopped.addEventListener('abort', () => resolve(false), { once: true });
      }),
    over: (id, isWritten) => {
      if (waiting?.id === id) waiting.resolve(isWritten);
    },
  };
}
