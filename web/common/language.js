// The language of the page: one of the tables in words/, chosen by the browser's languages or by the user.
// Texts set with `say` are translated again when the language changes, without a reload, so drafts and the connection stay.
//
// To add a language: one more table, and its row in TABLES.

import en from './words/en.js';
import zh from './words/zh-CN.js';

/** By the tag for the `lang` attribute (fonts, screen readers). The first is the fallback. */
const TABLES = { en, 'zh-CN': zh };
const CHOSEN = 'roomcast.language';
const TEXT = 'text';
const ATTRIBUTES = { sayLabel: 'aria-label', sayPlaceholder: 'placeholder', sayTitle: 'title' };
const SAID = '[data-said], [data-say], [data-say-label], [data-say-placeholder], [data-say-title]';

/** The tags of the available tables. */
export const LANGUAGES = Object.keys(TABLES);

const said = new WeakMap(); // element -> Map of attribute or TEXT -> {key, values}
const listeners = new Set();
let current = pick([stored(), ...browserLanguages()]);

/** @param {string[]} wanted best first @returns {string} the table to use: matches the whole tag, else the language alone */
export function pick(wanted) {
  for (const tag of wanted) {
    const whole = LANGUAGES.find((known) => known.toLowerCase() === tag.toLowerCase());
    const found = whole ?? LANGUAGES.find((known) => primary(known) === primary(tag));
    if (found) return found;
  }
  return LANGUAGES[0];
}

export const language = () => current;

/** Switches the whole page to another language. */
export function choose(tag) {
  current = pick([tag]);
  try {
    localStorage.setItem(CHOSEN, current);
  } catch {
    // Storage is denied: kept for this visit only.
  }
  speak();
}

/** @param {() => void} listener called after a change of language, once the page has been translated */
export function onLanguage(listener) {
  listeners.add(listener);
}

/**
 * The text of `key`, with `{name}` replaced by the value of that name. Where the table has several forms, `count` selects one
 * (CLDR plural rules). A value that is a function is called at each translation; numbers are formatted for the language.
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

/** For dates and numbers: the user's own variant of the language, if the browser names one (en-GB). */
export function locale() {
  return browserLanguages().find((tag) => primary(tag) === primary(current)) ?? current;
}

/** The text of an error of the server or client module: from the table if it has its code, else the error's own message. */
export const errorWords = ({ code, message }) => (`error_${code}` in en ? words(`error_${code}`) : message);

/** Sets the text of an element; an empty key removes it. */
export const say = (element, key, values) => remember(element, TEXT, key, values);

export const sayAttribute = (element, attribute, key, values) => remember(element, attribute, key, values);

/** Translates everything below `root` that has a key, from its markup (`data-say`, `data-say-label`, …) or an earlier `say`. */
export function translate(root) {
  for (const element of root.querySelectorAll(SAID)) {
    if (!said.has(element)) readMarkup(element);
    for (const [attribute, { key, values }] of said.get(element)) write(element, attribute, key, values);
  }
}

/** Fills a select with the languages, each by its own name. @param {HTMLSelectElement} select */
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

/** Applies the language to the page. */
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
