// The language of the page: one of the tables in words/, as the browser's languages ask for it, or as the reader chose.
// What is said through here is said anew when another one is chosen, without a reload: a draft and the line stay.
//
// A further language is one more table, and its row in TABLES.

import en from './words/en.js';
import zh from './words/zh-CN.js';

/** By the tag that goes into `lang`, so that fonts and screen readers know; the first is for whoever reads none of them. */
const TABLES = { en, 'zh-CN': zh };
const CHOSEN = 'roomcast.language';
const TEXT = 'text';
const ATTRIBUTES = { sayLabel: 'aria-label', sayPlaceholder: 'placeholder', sayTitle: 'title' };
const SAID = '[data-said], [data-say], [data-say-label], [data-say-placeholder], [data-say-title]';

/** The tags there are tables for. */
export const LANGUAGES = Object.keys(TABLES);

const said = new WeakMap(); // element -> Map of attribute or TEXT -> {key, values}
const listeners = new Set();
let current = pick([stored(), ...browserLanguages()]);

/** @param {string[]} wanted best first @returns {string} the table to use: by the whole tag, else by the language alone */
export function pick(wanted) {
  for (const tag of wanted) {
    const whole = LANGUAGES.find((known) => known.toLowerCase() === tag.toLowerCase());
    const found = whole ?? LANGUAGES.find((known) => primary(known) === primary(tag));
    if (found) return found;
  }
  return LANGUAGES[0];
}

export const language = () => current;

/** The reader wants another one: the whole page follows. */
export function choose(tag) {
  current = pick([tag]);
  try {
    localStorage.setItem(CHOSEN, current);
  } catch {
    // Kept for this visit only.
  }
  speak();
}

/** @param {() => void} listener hears of another language, after the page has been translated */
export function onLanguage(listener) {
  listeners.add(listener);
}

/**
 * What stands under `key`, with `{name}` replaced by the value of that name. Where the table has several forms, `count` decides
 * (CLDR plural rules). A value that is a function is asked each time; numbers are written as the language does.
 */
export function words(key, values = {}) {
  const entry = TABLES[current][key] ?? en[key];
  const form = typeof entry === 'string' ? entry : (entry[new Intl.PluralRules(current).select(values.count)] ?? entry.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = typeof values[name] === 'function' ? values[name]() : values[name];
    return typeof value === 'number' ? number(value) : value;
  });
}

export const number = (value) => value.toLocaleString(locale());

/** For dates and numbers: the reader's own variety of the language, if the browser names one (en-GB). */
export function locale() {
  return browserLanguages().find((tag) => primary(tag) === primary(current)) ?? current;
}

/** An error of the server or of the client module, in the words of the table if it has some for its code. */
export const errorWords = ({ code, message }) => (`error_${code}` in en ? words(`error_${code}`) : message);

/** The text of an element; an empty key takes it away. */
export const say = (element, key, values) => remember(element, TEXT, key, values);

export const sayAttribute = (element, attribute, key, values) => remember(element, attribute, key, values);

/** Says everything below `root` that its markup (`data-say`, `data-say-label`, …) or an earlier `say` gave a key. */
export function translate(root) {
  for (const element of root.querySelectorAll(SAID)) {
    if (!said.has(element)) readMarkup(element);
    for (const [attribute, { key, values }] of said.get(element)) write(element, attribute, key, values);
  }
}

/** A list of the languages, each by its own name. @param {HTMLSelectElement} select */
export function offerLanguages(select) {
  select.replaceChildren(...LANGUAGES.map((tag) => {
    const option = new Option(TABLES[tag].language_name, tag);
    option.lang = tag;
    return option;
  }));
  const follow = () => {
    select.value = current;
  };
  select.addEventListener('change', () => choose(select.value));
  onLanguage(follow);
  follow();
}

/** Puts the page into its language. */
export function speak() {
  document.documentElement.lang = current;
  translate(document);
  for (const listener of listeners) listener();
}

function readMarkup(element) {
  const entries = new Map();
  const { say: text } = element.dataset;
  if (text) entries.set(TEXT, { key: text });
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    if (element.dataset[name]) entries.set(attribute, { key: element.dataset[name] });
  }
  said.set(element, entries);
}

function remember(element, attribute, key, values) {
  if (!said.has(element)) readMarkup(element);
  element.dataset.said = '';
  said.get(element).set(attribute, { key, values });
  write(element, attribute, key, values);
}

function write(element, attribute, key, values) {
  const text = key ? words(key, values) : '';
  if (attribute !== TEXT) element.setAttribute(attribute, text);
  else if (element.textContent !== text) element.textContent = text;
}

function primary(tag) {
  return tag.split('-')[0].toLowerCase();
}

function browserLanguages() {
  return globalThis.navigator?.languages ?? [];
}

function stored() {
  try {
    return localStorage.getItem(CHOSEN) ?? '';
  } catch {
    return '';
  }
}
