// Builds the elements of one message. Text goes in as text nodes only; nothing is ever parsed as markup.

import { element } from './elements.js';
import { linkParts } from './links.js';

const HUES = 8;
const LONG_TEXT = 2500;
const timeFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });

/**
 * One line of the log.
 * @param {{name: string, own: boolean, first: boolean, time: Date}} line `name` empty: nobody signed it;
 *   `first`: not a continuation of the same person's line above
 * @param {Node} content
 */
export function messageElement({ name, own, first, time }, content) {
  const clock = element('time', '', timeFormat.format(time));
  clock.dateTime = time.toISOString();
  clock.title = fullFormat.format(time);
  const who = element('bdi', name ? `name hue-${hueOf(name)}` : 'name nobody', name || 'anonymous');
  const item = element('li', 'message', clock, who, element('div', 'body', content));
  item.classList.toggle('own', own);
  item.classList.toggle('first', first);
  return item;
}

/** @param {boolean} raw it did not come from this page */
export function textElement(text, raw = false) {
  const words = element('div', raw ? 'words raw' : 'words');
  words.dir = 'auto';
  for (const part of linkParts(text)) words.append(part.href ? linkElement(part) : part.text);
  if (text.length > LONG_TEXT) {
    words.classList.add('long');
    words.tabIndex = 0;
  }
  return words;
}

function linkElement({ text, href }) {
  const link = element('a', '', text);
  link.href = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}

/** A picture of a type known to be harmless; turns into a download if the browser cannot show it. */
export function pictureElement(bytes, type, name) {
  const picture = element('img', 'picture');
  picture.alt = name ? `Picture from ${name}` : 'Picture';
  picture.decoding = 'async';
  picture.src = URL.createObjectURL(new Blob([bytes], { type }));
  picture.addEventListener('error', () => {
    if (!picture.isConnected) return;
    URL.revokeObjectURL(picture.src);
    picture.replaceWith(downloadElement(bytes));
  });
  return picture;
}

/** Bytes of unknown meaning: said to be there, and to be saved, never shown. */
export function downloadElement(bytes) {
  const link = element('a', '', 'Save');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = 'message.bin';
  return element('div', 'attachment', element('span', '', `Binary message, ${bytes.length.toLocaleString()} bytes`), link);
}

/** @param {'gap'|'away'|''} kind see Log.addDivider */
export function dividerElement(text, kind = '') {
  return element('li', `divider ${kind}`.trim(), element('span', '', text));
}

export function dayName(time) {
  return dayFormat.format(time);
}

/** Gives back what the browser keeps for a line that is no longer shown. */
export function releaseElement(item) {
  for (const holder of item.querySelectorAll('img, a')) {
    const address = holder.src ?? holder.href;
    if (address?.startsWith('blob:')) URL.revokeObjectURL(address);
  }
  item.remove();
}

function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % HUES;
}
