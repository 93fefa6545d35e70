import { expect, test } from 'vitest';
import { markUnanswered, unansweredProvider } from '../../src/domain/unanswered-mark.ts';

test('the mark names the provider that may have sent the email, once', () => {
  const marked = markUnanswered('No answer within 15 s.', 'brevo');
  expect(marked).toBe('No answer within 15 s. [unanswered: brevo]');
  expect(unansweredProvider(marked)).toBe('brevo');
  expect(markUnanswered(marked, 'brevo')).toBe(marked);
});

test('nothing else is taken for a mark', () => {
  expect(unansweredProvider(null)).toBeNull();
  expect(unansweredProvider('[unanswered: sendgrid]')).toBeNull();
  expect(unansweredProvider('[unanswered: brevo] and then something else')).toBeNull();
});
