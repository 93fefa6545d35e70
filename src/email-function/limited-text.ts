/** The text of a body from outside, never more of it than a limit: what is beyond is neither kept nor waited for. */

export interface LimitedText {
  readonly text: string;
  /** False: it is longer, and `text` its beginning. */
  readonly isWhole: boolean;
}

export async function limitedText(source: Request | Response, limitBytes: number): Promise<LimitedText> {
  if (source.body === null) return { text: '', isWhole: true };
  const reader = source.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), isWhole: true };
    bytes += value.byteLength;
    if (bytes > limitBytes) {
      // Whoever sends may not listen to that, and need not be waited for.
      void reader.cancel().catch(() => {});
      return { text: text + decoder.decode(value.subarray(0, limitBytes - bytes)), isWhole: false };
    }
    text += decoder.decode(value, { stream: true });
  }
}
