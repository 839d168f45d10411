// Finds the web addresses in a text. Pure; the view makes elements of the parts, never markup.

const LINKS_MAX = 100;
const CANDIDATE = /\bhttps?:\/\/[^\s<>"“”]+/giu;
const TRAILING = new Set([...'.,;:!?\'’»…*_']);
const PAIRS = new Map([[')', '('], [']', '['], ['}', '{']]);

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

/** Punctuation behind an address belongs to the sentence; a closing bracket only if it was not opened within. */
function withoutTrailing(candidate) {
  const surplus = new Map();
  for (const [close, open] of PAIRS) surplus.set(close, count(candidate, close) - count(candidate, open));
  let length = candidate.length;
  for (; length > 0; length -= 1) {
    const last = candidate[length - 1];
    if (TRAILING.has(last)) continue;
    if (!((surplus.get(last) ?? 0) > 0)) break;
    surplus.set(last, surplus.get(last) - 1);
  }
  return candidate.slice(0, length);
}

function count(text, character) {
  return text.split(character).length - 1;
}

function webAddress(label) {
  try {
    const url = new URL(label);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : '';
  } catch {
    return '';
  }
}
