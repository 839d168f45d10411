// What a message of any client looks like to a person. Pure.
//
// The page itself publishes plain text, and the server says whose it is. Others (a bot, a curl) may publish
// {"name":"build bot","text":"done"}: shown as said by that name, unless the server knows the sender better.

import { cleanName } from './room.js';

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
