/**
 * Who still needs the sandbox: every console holds one open response. When the last one ends (also by kill -9 of the
 * console, which closes its socket), the sandbox has no reason to live.
 */

export interface Attachments {
  /** An answer that stays open until the caller goes away. */
  hold(): Response;
  count(): number;
  close(): void;
}

/** `onAbandoned` is called once when nobody has been attached for `graceMs`, counted from the start too. */
export function createAttachments(options: {
  graceMs: number;
  startGraceMs: number;
  onAbandoned: () => void;
}): Attachments {
  const open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  let timer = setTimeout(options.onAbandoned, options.startGraceMs);

  const left = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (!open.delete(controller) || open.size > 0) return;
    clearTimeout(timer);
    timer = setTimeout(options.onAbandoned, options.graceMs);
  };

  return {
    hold: () => {
      let own: ReadableStreamDefaultController<Uint8Array>;
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          own = controller;
          open.add(controller);
          clearTimeout(timer);
          // The first byte sends the headers, by which the console knows that it is attached.
          controller.enqueue(new Uint8Array([10]));
        },
        cancel: () => left(own),
      });
      return new Response(body, { headers: { 'content-type': 'text/plain' } });
    },
    count: () => open.size,
    close: () => {
      clearTimeout(timer);
      for (const controller of open) controller.close();
      open.clear();
    },
  };
}
