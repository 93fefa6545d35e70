import { describe, expect, test } from 'vitest';
import { findAddressFault, findEmailFault, MAX_CONTENT_BYTES } from '../../src/domain/email-validation.ts';

const content = { subject: 'Hi', html: '<p>Hi</p>', text: null, from: null, fromName: null };
const fault = (change: object, recipientEmail = 'anna@example.org') =>
  findEmailFault({ recipientEmail, content: { ...content, ...change } });

describe('an address', () => {
  test.each([
    'anna@example.org',
    'anna.rossi+food@mail.example.co.uk',
    "o'neil@example.org",
    'пётр@пример.рф',
    'x@xn--e1afmkfd.xn--p1ai',
    '#!$%&*+-/=?^_`{|}~@example.org',
    `${'a'.repeat(64)}@example.org`,
  ])('%s is fine', (address) => expect(findAddressFault(address)).toBeNull());

  test.each([
    '',
    ' ',
    'anna',
    '@example.org',
    'anna@',
    'anna@localhost',
    'anna@example.',
    'anna@-example.org',
    'anna@exam_ple.org',
    'anna@127.0.0.1',
    'anna rossi@example.org',
    'anna@example.org ',
    'anna@example.org\r\nBcc: all@example.org',
    'anna\u200b@example.org',
    'a@b@example.org',
    'Anna <anna@example.org>',
    '.anna@example.org',
    'an..na@example.org',
    `${'a'.repeat(65)}@example.org`,
    `anna@${'a.'.repeat(130)}org`,
  ])('"%s" is not', (address) => expect(findAddressFault(address)).toEqual(expect.any(String)));
});

describe('an email', () => {
  test('with address, subject and html is fine', () => expect(fault({})).toBeNull());
  test('names what is missing or wrong', () => {
    expect(fault({ subject: null })).toBe('The subject is missing.');
    expect(fault({ subject: '  ' })).toBe('The subject is missing.');
    expect(fault({ subject: 'Hi\r\nBcc: all@example.org' })).toBe('The subject contains a line break.');
    expect(fault({ subject: 'x'.repeat(999) })).toContain('998');
    expect(fault({ html: null })).toBe('The content (html) is missing.');
    expect(fault({}, 'anna')).toContain("The recipient's address");
    expect(fault({ from: 'not an address' })).toContain("The sender's address");
  });
  test('may name its sender with or without a name', () => {
    expect(fault({ from: 'hello@foodshare.club' })).toBeNull();
    expect(fault({ from: 'FoodShare <hello@foodshare.club>' })).toBeNull();
  });
  test('is refused when it is larger than every provider takes, in bytes', () => {
    expect(fault({ html: 'x'.repeat(MAX_CONTENT_BYTES) })).toBeNull();
    expect(fault({ html: 'ü'.repeat(MAX_CONTENT_BYTES / 2 + 1) })).toBe(
      'The content is too large: 10.0 MB, at most 10.0 MB.',
    );
    expect(fault({ html: 'x'.repeat(MAX_CONTENT_BYTES / 2), text: 'x'.repeat(MAX_CONTENT_BYTES) })).toContain(
      '15.0 MB',
    );
  });
});
