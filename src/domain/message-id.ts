/** The name that a provider gave an email. It holds an @ and is no address, so it is stored as it is. */

const MAX_LENGTH = 500;

/** Without what Postgres or a terminal would refuse; null where nothing is left. */
export function safeMessageId(messageId: string): string | null {
  const clean = messageId
    .replaceAll(/\p{Cc}/gu, '')
    .slice(0, MAX_LENGTH)
    .toWellFormed();
  return clean === '' ? null : clean;
}
