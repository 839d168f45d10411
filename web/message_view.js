// Builds the elements of one message. Text goes in as text nodes only; nothing is ever parsed as markup.

import { element } from './elements.js';
import { locale, onLanguage, say, sayAttribute } from './language.js';
import { linkParts } from './links.js';

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
 * A picture of a type known to be harmless, in a button that opens it large (see viewer.js); turns into a download if the
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
