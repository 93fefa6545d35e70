/** Posts notices to a webhook: as Slack and what is compatible with it reads them, or as JSON of our own. */
import { toJson } from '../domain/json.ts';
import type { Notice } from '../domain/notice.ts';

export interface WebhookTarget {
  /** A secret: whoever has it can post. Never printed. */
  readonly url: string;
  readonly format: WebhookFormat;
}

export type WebhookFormat = 'slack' | 'json';

/** The address did not take it. The message names no address. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

export interface Webhook {
  /** Resolves when it was taken. @throws WebhookError */
  post(notice: Notice, signal: AbortSignal): Promise<void>;
}

const TIMEOUT_MS = 5_000;

export function createWebhook({ url, format }: WebhookTarget): Webhook {
  return {
    post: async (notice, signal) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(format === 'slack' ? slackMessage(notice) : jsonMessage(notice)),
        // A redirect would carry what we say to another address.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      }).catch((error: unknown) => {
        const why =
          error instanceof Error && error.name === 'TimeoutError' ? 'it did not answer in 5 s' : 'it cannot be reached';
        throw new WebhookError(`EMAIL_WEBHOOK_URL: ${why}`);
      });
      await response.body?.cancel();
      if (!response.ok) throw new WebhookError(`EMAIL_WEBHOOK_URL answered HTTP ${response.status}`);
    },
  };
}

const SIGN: Readonly<Record<Notice['level'], string>> = {
  critical: ':rotating_light:',
  warning: ':warning:',
  ok: ':white_check_mark:',
};

/** https://api.slack.com/messaging/webhooks: `text` is all that Mattermost, Discord's /slack and others need as well. */
export function slackMessage({ level, environment, text }: Notice): { readonly text: string } {
  return { text: `${SIGN[level]} *Email, ${escaped(environment)}*: ${escaped(text)}` };
}

/** Documented in docs/json.md. */
export function jsonMessage(notice: Notice): unknown {
  return { version: 1, ...(toJson(notice) as object) };
}

/** What Slack's markup is made of: no link, no mention and no bold comes from outside. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[*_~`]/g, (sign) => `\u200b${sign}`)
    .replaceAll('://', ':\u200b//')
    .replaceAll(/@(?=here|channel|everyone)/gi, '@\u200b');
}
