// Messages as a person sees them: who said what, its elements, the links in it, and pictures.

import { cleanName, element } from '../common/page.js';
import { locale, onLanguage, say, sayAttribute } from '../common/language.js';

// What a message of any client looks like to a person. Pure.
//
// The page itself publishes plain text, and the server says whose it is. Others (a bot, a curl) may publish
// {"name":"build bot","text":"done"}: shown as said by that name, unless the server knows the sender better.

/**
 * @param {{kind: 'text'|'json'|'binary', from: string|null, data: *}} message
 * @returns {{name: string, text: string, raw: boolean}} `name`: empty if nobody signed it; `raw`: it is not said by a
 *   person in words
 */
export function shownAs({ kind, from, data }) {
  const signed = cleanName(from ?? '');
  if (kind === 'binary') return { name: signed, text: '', raw: true };
  const value = kind === 'json' ? data : parsedObject(data);
  const ownName = typeof value?.name === 'string' ? cleanName(value.name) : '';
  const name = signed || ownName;
  if (name && typeof value?.text === 'string') return { name, text: value.text, raw: false };
  if (kind === 'json') return { name, text: JSON.stringify(data), raw: true };
  return { name: signed, text: data, raw: !signed };
}

function parsedObject(text) {
  if (!/^\s*\{/.test(text)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Builds the elements of one message. Text goes in as text nodes only; nothing is ever parsed as markup.

const HUES = 8;
const LONG_TEXT = 2500;

let formats = makeFormats();
onLanguage(() => {
  formats = makeFormats();
  for (const clock of document.querySelectorAll('time[datetime]')) showTime(clock, new Date(clock.dateTime));
});

/**
 * One line of the log.
 * @param {{name: string, own: boolean, first: boolean, time: Date}} line `name` empty: nobody signed it;
 *   `first`: not a continuation of the same person's line above
 * @param {Node} content
 */
export function messageElement({ name, own, first, time }, content) {
  const clock = element('time');
  clock.dateTime = time.toISOString();
  showTime(clock, time);
  const who = element('bdi', name ? `name hue-${hueOf(name)}` : 'name nobody', name);
  if (!name) say(who, 'anonymous');
  const item = element('li', 'message', clock, who, element('div', 'body', content));
  item.classList.toggle('own', own);
  item.classList.toggle('first', first);
  return item;
}

/** @param {boolean} raw it did not come from this page */
export function textElement(text, raw = false) {
  const said = element('div', raw ? 'words raw' : 'words');
  said.dir = 'auto';
  for (const part of linkParts(text)) said.append(part.href ? linkElement(part) : part.text);
  if (text.length > LONG_TEXT) {
    said.classList.add('long');
    said.tabIndex = 0;
  }
  return said;
}

function linkElement({ text, href }) {
  const link = element('a', '', text);
  link.href = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}

/**
 * A picture of a type known to be harmless, in a button that opens it large (see Viewer); turns into a download if the
 * browser cannot show it.
 */
export function pictureElement(bytes, type, name) {
  const picture = element('img', 'picture');
  if (name) sayAttribute(picture, 'alt', 'picture_from', { name });
  else sayAttribute(picture, 'alt', 'picture');
  picture.decoding = 'async';
  picture.src = URL.createObjectURL(new Blob([bytes], { type }));
  const opener = element('button', 'picture-open', picture);
  opener.type = 'button';
  sayAttribute(opener, 'title', 'open_picture');
  picture.addEventListener('error', () => {
    if (!picture.isConnected) return;
    URL.revokeObjectURL(picture.src);
    opener.replaceWith(downloadElement(bytes));
  });
  return opener;
}

/** Stands for a picture that is still being made to fit. */
export function preparingElement() {
  const sign = element('p', 'preparing hint');
  say(sign, 'preparing');
  return sign;
}

/** Bytes of unknown meaning: said to be there, and to be saved, never shown. */
export function downloadElement(bytes) {
  const [what, link] = [element('span'), element('a')];
  say(what, 'binary', { bytes: bytes.length });
  say(link, 'save');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = 'message.bin';
  return element('div', 'attachment', what, link);
}

/** A line across the log that says `key`. @param {'gap'|'away'|'fresh'|'day'} kind see Log */
export function dividerElement(kind, key, values) {
  const text = element('span');
  say(text, key, values);
  return element('li', `divider ${kind}`, text);
}

export function dayElement(time) {
  return dividerElement('day', 'day', { day: () => formats.day.format(time) });
}

export const clockTime = (time) => formats.time.format(time);

/** Gives back what the browser keeps for a line that is no longer shown. */
export function releaseElement(item) {
  for (const holder of item.querySelectorAll('img, a')) {
    const address = holder.src ?? holder.href;
    if (address?.startsWith('blob:')) URL.revokeObjectURL(address);
  }
  item.remove();
}

function showTime(clock, time) {
  clock.textContent = formats.time.format(time);
  clock.title = formats.full.format(time);
}

function makeFormats() {
  return {
    time: new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit' }),
    full: new Intl.DateTimeFormat(locale(), { dateStyle: 'full', timeStyle: 'medium' }),
    day: new Intl.DateTimeFormat(locale(), { dateStyle: 'full' }),
  };
}

function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % HUES;
}

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

// Pictures: what the bytes are, and how to make them fit into one message.

const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];

/** Of the longer side, in pixels. Seen large is worth more than seen without a trace of compression. */
const SIDES = [1600, 1440, 1280, 1152, 1024, 896, 800, 720, 640, 560, 480, 400, 320, 240, 160, 120];
const QUALITIES = [0.4, 0.55, 0.7, 0.82];

/** A problem to be told to the user: what `words` of language.js says under `key`. */
export class ImageProblem extends Error {
  constructor(key, values) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/**
 * The raster type by its magic bytes, or '' for anything else. SVG is never recognised: it may carry script.
 * @param {Uint8Array} bytes
 */
export function sniffImage(bytes) {
  const at = (offset, text) => [...text].every((character, i) => bytes[offset + i] === character.charCodeAt(0));
  if (at(0, '\x89PNG\r\n\x1a\n')) return 'image/png';
  if (at(0, '\xff\xd8\xff')) return 'image/jpeg';
  if (at(0, 'GIF87a') || at(0, 'GIF89a')) return 'image/gif';
  if (at(0, 'RIFF') && at(8, 'WEBP')) return 'image/webp';
  if (at(4, 'ftyp') && namesAvif(bytes, at)) return 'image/avif';
  return '';
}

/** An AVIF file says so as the major brand or among the compatible ones of its first box (ISO/IEC 14496-12, 4.3). */
function namesAvif(bytes, at) {
  const boxEnd = Math.min(bytes.length, bytes[3], 128);
  for (let offset = 8; offset + 4 <= boxEnd; offset += offset === 8 ? 8 : 4) {
    if (at(offset, 'avif') || at(offset, 'avis')) return true;
  }
  return false;
}

/** Whether a JPEG says where and with what it was taken. */
function carriesExif(type, head) {
  return type === 'image/jpeg' && String.fromCharCode(...head).includes('Exif\0');
}

/**
 * Makes a picture fit to be sent: small enough, and without the place a camera may have noted in it.
 * @param {Blob} file
 * @param {number} bytesMax the most one message may have
 * @returns {Promise<{bytes: Uint8Array, type: string, note: string}>} `note`: key of what the user should know, may be empty
 * @throws {ImageProblem}
 */
export async function prepareImage(file, bytesMax) {
  const head = new Uint8Array(await file.slice(0, 128).arrayBuffer());
  const type = sniffImage(head);
  if (!type) throw new ImageProblem('pictures_only');
  // Read in any case: what cannot be seen here would be no picture for the others either.
  const picture = await decode(file);
  try {
    if (file.size <= bytesMax && !carriesExif(type, head)) {
      return { bytes: new Uint8Array(await file.arrayBuffer()), type, note: '' };
    }
    const smaller = await shrink(picture, bytesMax);
    if (!smaller) throw new ImageProblem('picture_too_large', { size: Math.ceil(bytesMax / 1024) });
    return { ...smaller, note: type === 'image/gif' ? 'gif_still' : '' };
  } finally {
    picture.close();
  }
}

async function decode(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new ImageProblem('picture_broken');
  }
}

/** The largest of SIDES that fits at the least quality, at the best quality at which it does. */
async function shrink(picture, bytesMax) {
  const longest = Math.max(picture.width, picture.height);
  const sides = [longest, ...SIDES.filter((side) => side < longest)].filter((side) => side <= SIDES[0]);
  let atMost = SIDES[0];
  for (const side of sides) {
    if (side > atMost) continue;
    const canvas = draw(picture, side / longest);
    const [least, ...better] = QUALITIES;
    let best = await encode(canvas, least);
    if (!best) return null;
    if (best.size > bytesMax) {
      // Bytes go with the area; what is far too large at this side need not be tried at the next.
      atMost = side * Math.sqrt(bytesMax / best.size) * 1.15;
      continue;
    }
    for (const quality of better) {
      const blob = await encode(canvas, quality);
      if (blob.size > bytesMax) break;
      best = blob;
    }
    return { bytes: new Uint8Array(await best.arrayBuffer()), type: best.type };
  }
  return null;
}

function draw(picture, scale) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** WebP where the browser can write it, else JPEG on white. */
async function encode(canvas, quality) {
  const webp = await toBlob(canvas, 'image/webp', quality);
  if (webp?.type === 'image/webp') return webp;
  const context = canvas.getContext('2d');
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  return toBlob(canvas, 'image/jpeg', quality);
}

function toBlob(canvas, type, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}
