import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlToLines } from '../../src/domain/html-text.ts';

describe('HTML as lines', () => {
  it('keeps what the recipient reads and where links lead', () => {
    const html = `<!doctype html><html><head><title>T</title><style>p { color: red }</style></head><body>
      <!-- <p>hidden</p> --><h1>Fresh   bread</h1><p>Hello&nbsp;Anna &amp; B&#246;rn,<br/>come by <b>today</b>.</p>
      <ul><li>Rye</li><li>Spelt</li></ul><table><tr><td>When</td><td>18:30</td></tr></table>
      <a href="https://foodshare.example/x?a=1&amp;b=2" class='q>r'>Pick it up</a>
      <a href="javascript:alert(1)">no</a><img src="x" alt="A loaf"><script>evil("<p>")</script></body></html>`;
    expect(htmlToLines(html)).toEqual([
      'Fresh bread',
      '',
      'Hello Anna & Börn,',
      'come by today.',
      '',
      '· Rye',
      '· Spelt',
      '',
      'When 18:30',
      '',
      'Pick it up <https://foodshare.example/x?a=1&b=2> no[A loaf]',
    ]);
  });

  it.each([
    ['3 < 4 & 5 > 2', ['3 < 4 & 5 > 2']],
    ['<p>unclosed <b', ['unclosed']],
    ['<a href="https://a.example">https://a.example</a>', ['https://a.example']],
    ['&nosuch; &#0; &#x110000; &constructor;', ['&nosuch; &#0; &#x110000; &constructor;']],
    ['', []],
    ['plain text', ['plain text']],
  ])('takes %s as it is', (html, lines) => {
    expect(htmlToLines(html)).toEqual(lines);
  });

  it('never throws and never leaves two empty lines', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('<p>', '</p>', '<br>', '<!--', '-->', '<a href="', '&#', '<script>', '"', '>'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(htmlToLines(pieces.join('')).join('\n')).not.toContain('\n\n\n');
      }),
    );
  });

  it.each(['<', '<a ', '<!--', '&#', '<a href="', '<p', 'x'])('takes time in proportion to its length: %s', (part) => {
    const startedMs = performance.now();
    const lines = htmlToLines(part.repeat(400_000));
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(lines.at(-1) === '… (the rest is not shown)').toBe(part.length > 1);
  });
});
