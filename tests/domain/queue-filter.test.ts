import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayMatch, parseQueueFilter, withStatus } from '../../src/domain/queue-filter.ts';
import { aListedDeadLetter, aListedEmail, idOf } from '../support/queue-items.ts';

describe('the language of the filter', () => {
  it.each([
    ['', {}],
    ['anna timeout', { words: ['anna', 'timeout'] }],
    ['status:failed', { status: 'failed' }],
    ['state:F type:AU provider:ses', { status: 'failed', emailType: 'auth', words: undefined }],
    ['is:dead by:brevo "mailbox is full" x', { status: 'dead', provider: 'brevo', words: ['mailbox is full', 'x'] }],
    ['http://a.example 550:5.1.1', { words: ['http://a.example', '550:5.1.1'] }],
    ['"unfinished phrase', { words: ['unfinished phrase'] }],
  ])('%s', (text, terms) => {
    const parsed = parseQueueFilter(text);
    if (text.includes('ses')) expect(parsed.problem).toBe('provider: one of resend, brevo, mailersend, aws_ses');
    else expect(parsed).toEqual({ terms, problem: null });
  });

  it('says what a field may be while it is typed, and what is not unique', () => {
    expect(parseQueueFilter('status:').problem).toBe('status: one of queued, processing, failed, completed, dead');
    expect(parseQueueFilter('type:f').problem).toContain('food_listing, feedback');
    expect(parseQueueFilter('type:fo')).toEqual({ terms: { emailType: 'food_listing' }, problem: null });
  });

  it('never throws, and what it understood it understands again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const { terms } = parseQueueFilter(text);
        expect(parseQueueFilter(withStatus(text, 'failed')).terms.status).toBe('failed');
        expect(parseQueueFilter(withStatus(text, null)).terms).toEqual({ ...terms, status: undefined });
      }),
    );
  });
});

it('narrows what is loaded by what its columns tell', () => {
  const email = aListedEmail(1, { lastError: 'Timeout', status: 'failed' });
  const match = (text: string) => mayMatch(email, parseQueueFilter(text).terms);
  expect(
    ['', 'status:failed', 'TIME reader1', idOf(1).slice(0, 8), 'type:newsl', 'newsletter'].map(match),
  ).not.toContain(false);
  expect(['status:queued', 'status:dead', 'nobody', 'type:auth'].map(match)).not.toContain(true);
  // Which provider was tried the list does not know: the answer decides.
  expect(match('provider:brevo')).toBe(true);
  const letter = (text: string) => mayMatch(aListedDeadLetter(1), parseQueueFilter(text).terms);
  expect(letter('status:dead provider:brevo exhausted')).toBe(true);
  expect([letter('status:dead provider:aws_ses'), letter('')]).toEqual([false, false]);
});
