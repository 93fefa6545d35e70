/**
 * HTML of an email → lines that a person can read in a terminal. Layout is lost and nothing is loaded; what the recipient
 * would read, and where links lead, is kept. Not a parser: anything is accepted, in linear time.
 */

/** A bound on the work; emails beyond it are cut and say so. */
const LONGEST_HTML = 500_000;

/** Their content is never shown to the recipient. */
const UNSEEN = new Set(['head', 'style', 'script', 'title', 'template', 'noscript', 'svg']);
const BREAKS = new Set(['br', 'tr', 'li', 'dt', 'dd', 'option', 'caption']);
const PARAGRAPHS = new Set([
  ...['p', 'div', 'table', 'ul', 'ol', 'dl', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'pre', 'section'],
  ...['article', 'header', 'footer', 'main', 'center', 'form', 'fieldset', 'address'],
]);

/** Lines without markup, at most one empty one in a row. Not made safe for a terminal: that is the screen's business. */
export function htmlToLines(html: string): string[] {
  const lines: string[] = [];
  let line = '';
  let link: string | null = null;
  let unseenUntil: string | null = null;
  const endLine = () => {
    const text = line.replace(/\s+/g, ' ').trim();
    if (text !== '') lines.push(text);
    line = '';
  };
  const endParagraph = () => {
    endLine();
    if (lines.length > 0 && lines.at(-1) !== '') lines.push('');
  };
  for (const token of tokens(html.slice(0, LONGEST_HTML))) {
    if (token.kind === 'text') {
      if (unseenUntil === null) line += decodeEntities(token.text);
      continue;
    }
    const { name, isEnd } = token;
    if (unseenUntil !== null) {
      if (isEnd && name === unseenUntil) unseenUntil = null;
      continue;
    }
    if (UNSEEN.has(name)) unseenUntil = isEnd ? null : name;
    else if (name === 'a') {
      if (isEnd && link !== null && !line.trimEnd().endsWith(link)) line += ` <${link}>`;
      link = isEnd ? null : hrefOf(token.text);
    } else if (name === 'img' && !isEnd) line += imageText(token.text);
    else if (name === 'td' || name === 'th') line += '  ';
    else if (BREAKS.has(name)) {
      endLine();
      if (name === 'li' && !isEnd) line = '· ';
    } else if (PARAGRAPHS.has(name)) endParagraph();
  }
  endLine();
  while (lines.at(-1) === '') lines.pop();
  return html.length > LONGEST_HTML ? [...lines, '… (the rest is not shown)'] : lines;
}

interface Token {
  readonly kind: 'text' | 'tag';
  readonly text: string;
  readonly name: string;
  readonly isEnd: boolean;
}

function* tokens(html: string): Generator<Token> {
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    const next = open < 0 ? html.length : open;
    if (next > at) yield { kind: 'text', text: html.slice(at, next), name: '', isEnd: false };
    if (open < 0) return;
    if (html.startsWith('<!--', open)) {
      const close = html.indexOf('-->', open + 4);
      at = close < 0 ? html.length : close + 3;
      continue;
    }
    const [tag, slash = '', name = ''] = /^<(\/?)([a-z][a-z0-9]*|!|\?)/i.exec(html.slice(open, open + 40)) ?? [];
    if (tag === undefined) {
      // `3 < 4` is text.
      yield { kind: 'text', text: '<', name: '', isEnd: false };
      at = open + 1;
      continue;
    }
    const close = endOfTag(html, open + tag.length);
    yield { kind: 'tag', text: html.slice(open, close), name: name.toLowerCase(), isEnd: slash === '/' };
    at = close;
  }
}

/** Behind the `>` that ends the tag; those in quoted values do not. */
function endOfTag(html: string, from: number): number {
  let quote = '';
  for (let at = from; at < html.length; at++) {
    const character = html[at] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at + 1;
  }
  return html.length;
}

function hrefOf(tag: string): string | null {
  const href = attribute(tag, 'href');
  return href !== null && /^(https?|mailto):/i.test(href) ? href.replace(/^mailto:/i, '') : null;
}

function imageText(tag: string): string {
  const alt = attribute(tag, 'alt') ?? '';
  return alt.trim() === '' ? '' : `[${alt.trim()}]`;
}

function attribute(tag: string, name: string): string | null {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(tag);
  const value = found?.[1] ?? found?.[2] ?? found?.[3];
  return value === undefined ? null : decodeEntities(value);
}

/** The ones that email templates use; others stay as they are written. */
const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', zwnj: '', zwj: '', shy: '', ensp: ' ', emsp: ' ' },
  ...{ hellip: '…', mdash: '—', ndash: '–', laquo: '«', raquo: '»', ldquo: '“', rdquo: '”', lsquo: '‘', rsquo: '’' },
  ...{
    bull: '•',
    middot: '·',
    copy: '©',
    reg: '®',
    trade: '™',
    euro: '€',
    pound: '£',
    times: '×',
    rarr: '→',
    larr: '←',
  },
  ...{ auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è' },
  ...{ agrave: 'à', aacute: 'á', ccedil: 'ç', ntilde: 'ñ', oacute: 'ó', iacute: 'í', uacute: 'ú', deg: '°', sect: '§' },
};

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? whole) : whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff && code > 0 ? String.fromCodePoint(code) : whole;
  });
}
