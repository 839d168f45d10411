// Finds the web addresses in a text. Pure; the view makes elements of the parts, never markup.

const LINKS_MAX = 100;
// Addresses are copied with their letters of other scripts, but their punctuation is percent-encoded: what stands there
// as it is belongs to the sentence, above all in Chinese and Japanese, which put no space before it. But for a few marks
// that names of pages contain: an apostrophe before a Latin letter, middle dots, hyphens.
const CANDIDATE = new RegExp([
  '\\bhttps?:\\/\\/(?:',
  '[!#-;=?-~]', // ASCII without the space, ", < and >
  '|\u2019(?=\\p{Script=Latin})|[\u00b7\u30fb\u2010-\u2013]',
  '|(?![\uff5e\u301c\uff5c\uff0b\uff1d\uff1c\uff1e\uffe5\uff04\u3012-\u3020])[^\\x00-\\x7f\\s\\p{P}\\p{Cc}]', // and no full-width symbols
  ')+',
].join(''), 'giu');
const TRAILING = new Set([...'.,;:!?\'’·・‐‑‒–*_']);
const OPENING = new Map([[')', '('], [']', '['], ['}', '{']]);
/** A list in a sentence without spaces: `a,然后`. A dot or a question mark may well be the address's own. */
const LIST_MARK = /[,;!](?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])/u;

/** @returns {{text: string, href?: string}[]} the text in order, cut where a link begins or ends */
export function linkParts(text) {
  const parts = [];
  let end = 0;
  let links = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    if (links === LINKS_MAX) break;
    const label = withoutTrailing(match[0]);
    const href = webAddress(label);
    if (!href) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: label, href });
    end = match.index + label.length;
    links += 1;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Punctuation behind an address belongs to the sentence, and so does everything from a bracket on that was not opened within. */
function withoutTrailing(candidate) {
  let length = candidate.length;
  const mark = LIST_MARK.exec(candidate);
  if (mark) length = mark.index;
  length = Math.min(length, unopenedBracket(candidate));
  while (length > 0 && TRAILING.has(candidate[length - 1])) length -= 1;
  return candidate.slice(0, length);
}

function unopenedBracket(candidate) {
  const open = { '(': 0, '[': 0, '{': 0 };
  for (let at = 0; at < candidate.length; at += 1) {
    const character = candidate[at];
    if (character in open) open[character] += 1;
    const opening = OPENING.get(character);
    if (!opening) continue;
    if (open[opening] === 0) return at;
    open[opening] -= 1;
  }
  return candidate.length;
}

function webAddress(label) {
  try {
    const url = new URL(label);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : '';
  } catch {
    return '';
  }
}
