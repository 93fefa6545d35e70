/**
 * What is left of every provider's day and month, counted down while a run sends. Other workers send too: a fresh reading of
 * the database only ever corrects it to what both know.
 */
import type { Provider } from './email.ts';
import { completeQuotas, type ProviderQuota } from './quota.ts';
import { nextUtcMidnightEpochMs, nextUtcMonthEpochMs } from './time.ts';

export interface QuotaLedger {
  /** Emails that may still go through this provider now. */
  left(provider: Provider): number;
  /** Takes one from the rest before a send. */
  reserve(provider: Provider): void;
  /** Gives it back: the send certainly did not happen. */
  refund(provider: Provider): void;
  /** The send is in the database now, so the next reading contains it. */
  confirm(provider: Provider): void;
  /** The provider itself said so, whatever we counted. */
  markUsedUp(provider: Provider, period: 'day' | 'month'): void;
  isAnythingLeft(): boolean;
  /** The earliest moment at which there is something again, through any provider or through this one; now where there is. */
  resetsAtEpochMs(nowEpochMs: number, provider?: Provider | null): number;
  /**
   * To be called before the database is asked; give the answer to the function it returns. Within a day a reading only ever
   * lowers what is left; with `isNewDay` everything begins anew.
   */
  beginReading(): (quotas: readonly ProviderQuota[], isNewDay?: boolean) => void;
}

interface Account {
  dayLeft: number;
  monthLeft: number;
  /** Reserved in this run and neither refunded nor confirmed, plus all that was confirmed: what we used. */
  used: number;
  confirmed: number;
}

export function createQuotaLedger(quotas: readonly ProviderQuota[]): QuotaLedger {
  const accounts = new Map<Provider, Account>();
  for (const { provider, day, month } of completeQuotas(quotas)) {
    accounts.set(provider, {
      dayLeft: day.limit - day.sent,
      monthLeft: month.limit - month.sent,
      used: 0,
      confirmed: 0,
    });
  }
  const account = (provider: Provider): Account =>
    accounts.get(provider) ?? { dayLeft: 0, monthLeft: 0, used: 0, confirmed: 0 };
  const left = (provider: Provider) => Math.max(0, Math.min(account(provider).dayLeft, account(provider).monthLeft));
  const take = (provider: Provider, count: number) => {
    const own = account(provider);
    own.dayLeft -= count;
    own.monthLeft -= count;
    own.used += count;
  };

  return {
    left,
    reserve: (provider) => take(provider, 1),
    refund: (provider) => take(provider, -1),
    confirm: (provider) => {
      account(provider).confirmed += 1;
    },
    markUsedUp: (provider, period) => {
      const own = account(provider);
      if (period === 'month') own.monthLeft = Math.min(own.monthLeft, 0);
      else own.dayLeft = Math.min(own.dayLeft, 0);
    },
    isAnythingLeft: () => [...accounts.keys()].some((provider) => left(provider) > 0),
    resetsAtEpochMs: (nowEpochMs, provider = null) => {
      const asked = provider === null ? [...accounts.values()] : [account(provider)];
      const resets = asked.map(({ dayLeft, monthLeft }) => {
        if (monthLeft <= 0) return nextUtcMonthEpochMs(nowEpochMs);
        return dayLeft <= 0 ? nextUtcMidnightEpochMs(nowEpochMs) : nowEpochMs;
      });
      return Math.min(...resets);
    },
    beginReading: () => {
      // What is confirmed by now is in the answer for sure; what is confirmed meanwhile may be, and is counted twice rather
      // than not at all, until the next reading.
      const confirmedBefore = new Map([...accounts].map(([provider, { confirmed }]) => [provider, confirmed]));
      return (fresh, isNewDay = false) => {
        for (const { provider, day, month } of completeQuotas(fresh)) {
          const own = account(provider);
          const notInAnswer = own.used - (confirmedBefore.get(provider) ?? 0);
          const dayLeft = day.limit - day.sent - notInAnswer;
          const monthLeft = month.limit - month.sent - notInAnswer;
          own.dayLeft = isNewDay ? dayLeft : Math.min(own.dayLeft, dayLeft);
          own.monthLeft = isNewDay ? monthLeft : Math.min(own.monthLeft, monthLeft);
        }
      };
    },
  };
}
