// The bundled page of roomcast: puts the parts together and tells them what the browser notices.
//
//   join ──▶ chat ──▶ connection ──▶ WebSocket        memory: address and storage     message, room, links, backoff,
//                └──▶ log, outbox, composer, status (the views)                          close_codes: pure

import { Chat } from './chat.js';
import { Composer } from './composer.js';
import { JoinForm } from './join.js';
import { Log } from './log.js';
import { recall, remember, roomLink } from './memory.js';
import { Outbox } from './outbox.js';
import { cleanName, roomPath, roomProblem, roomSocketUrl } from './room.js';
import { StatusView } from './status.js';

const byId = (id) => document.getElementById(id);
let chat = null;
let room = '';
let unread = 0;

const views = {
  log: new Log(),
  outbox: new Outbox(() => chat?.connection.distrust('Nothing comes back from the server.')),
  composer: new Composer({
    onText: (text) => chat.sendText(text),
    onFiles: (files) => chat.sendFiles(files),
  }),
  status: new StatusView(() => {
    views.composer.focus();
    chat?.connection.open();
  }),
};

const joinForm = new JoinForm((choice) => {
  remember(choice);
  history.pushState(null, '', roomLink(choice.room));
  enter(choice);
});

function route() {
  chat?.leave();
  chat = null;
  const known = recall();
  const name = cleanName(known.name);
  if (name && known.room && !roomProblem(known.room)) {
    remember({ name, room: known.room });
    enter({ name, room: known.room });
  } else {
    show('join');
    joinForm.fill({ name, room: known.room || known.lastRoom });
  }
}

function enter(choice) {
  room = choice.room;
  show('chat');
  byId('room').textContent = room;
  byId('me').textContent = choice.name;
  byId('scroller').setAttribute('aria-label', `Messages in ${room}`);
  const address = new URL(roomPath(room), new URL('.', location.href));
  byId('curl').textContent = `curl -H 'Content-Type: text/plain' -d 'hello' '${address.href}'`;
  const url = roomSocketUrl(room, location.href);
  chat = new Chat({ url, name: choice.name, isOnline, onLine: countUnread, views });
  chat.enter();
  views.composer.focus();
}

function show(part) {
  byId('join').hidden = part !== 'join';
  byId('chat').hidden = part !== 'chat';
  if (part === 'join') room = '';
  unread = 0;
  showTitle();
}

function showTitle() {
  const place = room ? `${room} · roomcast` : 'roomcast';
  document.title = unread > 0 ? `(${unread}) ${place}` : place;
}

function countUnread() {
  if (!document.hidden) return;
  unread += 1;
  showTitle();
}

/** The browser's word on the network says nothing about a server on this very machine. */
function isOnline() {
  return navigator.onLine || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);
}

async function share() {
  const link = roomLink(room);
  try {
    await navigator.clipboard.writeText(link);
    views.composer.notice('The link to this room is copied.', 'news');
  } catch {
    // No clipboard without https or permission.
    views.composer.notice(`The link to this room: ${link}`, 'news');
  }
}

byId('share').addEventListener('click', share);
byId('leave').addEventListener('click', () => {
  history.pushState(null, '', roomLink(''));
  route();
});
window.addEventListener('popstate', route);
window.addEventListener('online', () => chat?.connection.wake());
window.addEventListener('offline', () => {
  if (!isOnline()) chat?.connection.lost();
});
window.addEventListener('pageshow', (event) => {
  if (event.persisted) chat?.connection.wake();
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  unread = 0;
  showTitle();
  chat?.connection.wake();
});

route();
