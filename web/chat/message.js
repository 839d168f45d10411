// Rendering of messages: author and text, DOM elements, links, and pictures.

import { cleanName, element } from '../common/page.js';
import { locale, onLanguage, say, sayAttribute } from '../common/language.js';

// How a message of any client is presented. Pure.
//
// The page itself publishes plain text, and the server adds the sender's name. Other clients (a bot, curl) may publish
// {"name":"build bot","text":"done"}: shown under that name, unless the server knows the sender's.

/**
 * @param {{kind: 'text'|'json'|'binary', from: string|null, data: *}} message
 * @returns {{name: string, text: string, raw: boolean}} `name`: empty if there is none; `raw`: data rather than a person's
 *   text
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

// Creates the elements of one message. Text is inserted as text nodes only and never parsed as markup.

const HUES = 8;
const LONG_TEXT = 2500;

let formats = makeFormats();
onLanguage(() => {
  formats = makeFormats();
  for (const clock of document.querySelectorAll('time[datetime]')) showTime(clock, new Date(clock.dateTime));
});

/** Who the server says that an author or member is: `user:ID`, `key:NAME`, or empty for an anonymous one. */
export function principalOf({ user, key }) {
  if (user !== undefined) return `user:${user}`;
  return key === undefined ? '' : `key:${key}`;
}

/** Labels the element of a name: verified, or a guest, which is shown only where there are others (see chat.css). */
export function markAuthor(author, principal) {
  author.classList.toggle('verified', principal !== '');
  sayAttribute(author, 'data-badge', principal.startsWith('key:') ? 'verified_key' : principal ? 'verified_user' : 'guest');
}

/**
 * One line of the log.
 * @param {{name: string, principal?: string, own: boolean, first: boolean, time: Date}} line `name`: empty if there is none;
 *   `principal`: see principalOf; left out for a line that the server has not seen yet; `first`: does not continue a line of
 *   the same author
 * @param {Node} content
 */
export function messageElement({ name, principal, own, first, time }, content) {
  const clock = element('time');
  clock.dateTime = time.toISOString();
  showTime(clock, time);
  const author = element('bdi', name ? `name hue-${hueOf(name)}` : 'name anonymous', name);
  if (!name) say(author, 'anonymous');
  else if (principal !== undefined) markAuthor(author, principal);
  const item = element('li', 'message', clock, author, element('div', 'body', content));
  item.classList.toggle('own', own);
  item.classList.toggle('first', first);
  return item;
}

/** @param {boolean} raw shown as data, in a monospaced font */
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
 * A picture of a known harmless type, in a button that enlarges it (see Viewer); becomes a download if the browser cannot
 * decode it.
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

/** Placeholder for a picture that is being prepared. */
export function preparingElement() {
  const sign = element('p', 'preparing hint');
  say(sign, 'preparing');
  return sign;
}

/** Bytes of unknown type: offered as a download, never shown. */
export function downloadElement(bytes) {
  const [what, link] = [element('span'), element('a')];
  say(what, 'binary', { bytes: bytes.length });
  say(link, 'save');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = 'message.bin';
  return element('div', 'attachment', what, link);
}

/** A divider with the text of `key`. @param {'gap'|'away'|'fresh'|'day'} kind see Log */
export function dividerElement(kind, key, values) {
  const text = element('span');
  say(text, key, values);
  return element('li', `divider ${kind}`, text);
}

export function dayElement(time) {
  return dividerElement('day', 'day', { day: () => formats.day.format(time) });
}

export const clockTime = (time) => formats.time.format(time);

/** Frees the browser's resources (object URLs) of a removed line. */
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

// Finds web addresses in a text. Pure; the view creates elements of the parts, never markup.

const LINKS_MAX = 100;
// Copied addresses keep letters of other scripts, but their punctuation is percent-encoded. Unencoded punctuation therefore
// belongs to the sentence, above all in Chinese and Japanese, which put no space before it; except for a few characters
// that page titles contain: an apostrophe before a Latin letter, middle dots, hyphens.
const CANDIDATE = new RegExp([
  '\\bhttps?:\\/\\/(?:',
  '[!#-;=?-~]', // ASCII without the space, ", < and >
  '|\u2019(?=\\p{Script=Latin})|[\u00b7\u30fb\u2010-\u2013]',
  '|(?![\uff5e\u301c\uff5c\uff0b\uff1d\uff1c\uff1e\uffe5\uff04\u3012-\u3020])[^\\x00-\\x7f\\s\\p{P}\\p{Cc}]', // and no full-width symbols
  ')+',
].join(''), 'giu');
const TRAILING = new Set([...'.,;:!?\'’·・‐‑‒–*_']);
const OPENING = new Map([[')', '('], [']', '['], ['}', '{']]);
/** A list in a sentence without spaces: `a,然后`. A dot or a question mark may belong to the address. */
const LIST_MARK = /[,;!](?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])/u;

/** @returns {{text: string, href?: string}[]} the text in order, split at the ends of links */
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

/** Punctuation after an address belongs to the sentence, as does everything from a closing bracket that was not opened within it. */
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

// Pictures: detecting the type, and fitting them into one message.

const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];

/** Longer side in pixels, best first. A large picture with visible compression is worth more than a small one without. */
const SIDES = [1600, 1440, 1280, 1152, 1024, 896, 800, 720, 640, 560, 480, 400, 320, 240, 160, 120];
const QUALITIES = [0.4, 0.55, 0.7, 0.82];

/** A problem that is shown to the user: the text of `key`, see `words` in language.js. */
export class ImageProblem extends Error {
  constructor(key, values) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/**
 * The raster type by its magic bytes, or '' for anything else. SVG is never recognised: it may contain scripts.
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

/** AVIF: the major or a compatible brand of the first box (ISO/IEC 14496-12, 4.3). */
function namesAvif(bytes, at) {
  const boxEnd = Math.min(bytes.length, bytes[3], 128);
  for (let offset = 8; offset + 4 <= boxEnd; offset += offset === 8 ? 8 : 4) {
    if (at(offset, 'avif') || at(offset, 'avis')) return true;
  }
  return false;
}

/** Whether a JPEG has Exif data, which may contain location and camera. */
function carriesExif(type, head) {
  return type === 'image/jpeg' && String.fromCharCode(...head).includes('Exif\0');
}

/**
 * Prepares a picture for publishing: small enough, and without Exif location.
 * @param {Blob} file
 * @param {number} bytesMax the largest message allowed
 * @returns {Promise<{bytes: Uint8Array, type: string, note: string}>} `note`: key of a notice for the user, may be empty
 * @throws {ImageProblem}
 */
export async function prepareImage(file, bytesMax) {
  const head = new Uint8Array(await file.slice(0, 128).arrayBuffer());
  const type = sniffImage(head);
  if (!type) throw new ImageProblem('pictures_only');
  // Always decoded: a picture that fails here would fail for every receiver.
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

/** The largest of SIDES that fits at the minimum quality, at the best quality that fits. */
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
      // Size grows with the area, so sizes that are far too large skip the next side as well.
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
