// What moderators of a room can do on the page: delete messages, mute and remove their authors. Loaded only where the server
// says that the user may.

import { say, words } from '../common/language.js';
import { element } from '../common/page.js';

const MUTE_SECONDS = 3_600;

/** Calls `/api/…`. @throws {{code: string, message: string}} the server's refusal */
async function call(method, path, { query, body } = {}) {
  const target = `api/${path}${query ? `?${new URLSearchParams(query)}` : ''}`;
  const headers = body ? { 'Content-Type': 'application/json' } : {};
  const answer = await fetch(target, { method, headers, body: body && JSON.stringify(body) });
  if (answer.ok) return;
  const { error } = await answer.json().catch(() => ({ error: { code: '', message: String(answer.status) } }));
  throw error;
}

/**
 * Offers a moderator what can be done with each message of a room, also those that come later.
 * @param {string} room
 * @param {HTMLElement} list of the room's messages
 * @param {(item: Element) => {cursor: string, name: string, principal?: string}|undefined} lineOf what an item of the list shows
 * @param {(refusal: {code: string, message: string}) => void} onRefused
 * @returns {() => void} withdraws the offer
 */
export function offerModeration(room, list, lineOf, onRefused) {
  const attempt = (question, values, run) => {
    if (confirm(words(question, values))) run().catch(onRefused);
  };

  const actionsFor = ({ cursor, name, principal = '' }) => [
    actionButton('delete_message', () =>
      attempt('delete_message_really', {}, () => call('DELETE', 'messages', { query: { room, cursor } }))),
    ...(principal.startsWith('user:') ? userActions(principal.slice('user:'.length), name) : []),
  ];

  const userActions = (user, name) => [
    actionButton('mute_user', () =>
      attempt('mute_user_really', { name }, () => call('POST', 'mutes', { body: { user, room, seconds: MUTE_SECONDS } }))),
    actionButton('remove_user', () => attempt('remove_user_really', { name }, () => call('POST', 'kick', { body: { user, room } }))),
  ];

  const decorate = (item) => {
    const line = lineOf(item);
    if (!line?.cursor || item.querySelector('.moderate')) return;
    item.querySelector('.body').append(element('div', 'moderate', ...actionsFor(line)));
  };

  const watch = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node instanceof Element) decorate(node);
  });
  for (const item of list.children) decorate(item);
  watch.observe(list, { childList: true });
  return () => {
    watch.disconnect();
    for (const actions of list.querySelectorAll('.moderate')) actions.remove();
  };
}

function actionButton(key, onClick) {
  const button = element('button', 'quiet');
  button.type = 'button';
  say(button, key);
  button.addEventListener('click', onClick);
  return button;
}
