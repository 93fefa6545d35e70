/** `"Food, Share" <hello@foodshare.club>`: a name and an address as one header value, whatever the name holds. */

/** With letters beyond ASCII as they are, for APIs that take JSON. */
export function mailbox(name: string, address: string): string {
  const clean = name.replaceAll(/\p{Cc}/gu, ' ').trim();
  if (clean === '') return address;
  return /^[\p{L}\p{N} !#$%&'*+/=?^_`{|}~-]+$/u.test(clean) ? `${clean} <${address}>` : `${quoted(clean)} <${address}>`;
}

/** In ASCII alone: other letters become encoded words (RFC 2047). */
export function asciiMailbox(name: string, address: string): string {
  const clean = name.replaceAll(/\p{Cc}/gu, ' ').trim();
  return /^[\x20-\x7e]*$/.test(clean) ? mailbox(clean, address) : `${encodedWords(clean)} <${address}>`;
}

/** With a domain in other letters in its ASCII form (RFC 5890). What is before the @ has none. */
export function asciiAddress(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at);
  if (/^[\x20-\x7e]*$/.test(domain) || !/^[\p{L}\p{M}\p{N}.-]+$/u.test(domain)) return address;
  const url = `http://${domain}`;
  return URL.canParse(url) ? address.slice(0, at) + new URL(url).hostname : address;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** An encoded word is at most 75 characters, so it holds at most 45 bytes. A letter is never split. */
const WORD_BYTES = 45;

function encodedWords(text: string): string {
  const encoder = new TextEncoder();
  const words: string[] = [''];
  for (const letter of text) {
    const word = words.at(-1) ?? '';
    if (encoder.encode(word + letter).length > WORD_BYTES) words.push(letter);
    else words[words.length - 1] = word + letter;
  }
  return words.map((word) => `=?UTF-8?B?${base64(encoder.encode(word))}?=`).join(' ');
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
