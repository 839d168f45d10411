// The bundled page of roomcast: puts the parts together and tells them what the browser notices.
//
//   join ──▶ rooms ──▶ chat (one a room) ──▶ line ──▶ roomcast.js (the client module)
//                       └──▶ pane ──▶ log, outbox, composer (the views)      side, status: the views around them
//   memory: address and storage      language, words/: what it says      message, room, links, catch_up, earlier: pure

import { JoinForm } from './join.js';
import { isComposing } from './keys.js';
import { offerLanguages, onLanguage, speak } from './language.js';
import { Line } from './line.js';
import { recall, remember, roomLink } from './memory.js';
import { cleanName, roomProblem } from './room.js';
import { Rooms } from './rooms.js';
import { Menu, People, RoomList } from './side.js';
import { StatusView } from './status.js';
import { Viewer } from './viewer.js';

const byId = (id) => document.getElementById(id);
const hasMouse = matchMedia('(pointer: fine)');

let line = null;
let rooms = null;
let me = '';

const people = new People();
const menu = new Menu();
const roomList = new RoomList((room) => {
  goTo(room);
  menu.close();
  takeUp();
});
const status = new StatusView(() => {
  takeUp();
  line?.retry();
});
const joinForm = new JoinForm(({ name, room }) => {
  history.pushState(null, '', roomLink(room));
  enter(name, room, [room]);
});

/** Goes where the address says. */
function route() {
  const known = recall();
  const name = cleanName(known.name);
  const room = roomProblem(known.room) ? '' : known.room;
  if (rooms && room && name === me) {
    rooms.join(room);
    rooms.goTo(room);
  } else if (name && room) {
    enter(name, room, known.open.filter((one) => !roomProblem(one)));
  } else {
    leaveAll();
    joinForm.fill({ name, room: known.room || (known.known[0] ?? 'lobby') });
  }
}

function enter(name, room, open) {
  leaveAll();
  me = name;
  line = new Line(name, onState);
  rooms = new Rooms(line, name, refresh);
  showPart('chat');
  for (const one of new Set([...open, room])) rooms.join(one);
  rooms.goTo(room);
  takeUp();
}

function leaveAll() {
  rooms?.leaveAll();
  line?.close();
  rooms = line = null;
  menu.close();
  showPart('join');
  document.title = 'roomcast';
}

function goTo(room) {
  if (room !== rooms.current) history.pushState(null, '', roomLink(room));
  rooms.join(room);
  rooms.goTo(room);
}

function leaveCurrent() {
  const next = rooms.leaveCurrent();
  if (next) rooms.goTo(next);
  history.pushState(null, '', roomLink(next));
  remember({ name: me, room: next, open: rooms.names });
  if (!next) route();
  else takeUp();
}

function onState(state) {
  status.show(state);
  people.lineIs(state.name === 'live');
  rooms?.lineIs(state);
}

/** What stands around the rooms follows them. */
function refresh() {
  if (!rooms?.chat) return;
  const room = rooms.current;
  byId('room').textContent = room;
  roomList.show(rooms.list, recall().known);
  people.show(rooms.chat.people, me);
  menu.showUnread(rooms.unread);
  document.title = `${rooms.unread > 0 ? `(${rooms.unread}) ` : ''}${room} · roomcast`;
  byId('columns').hidden = !rooms.columns.possible;
  byId('columns').setAttribute('aria-pressed', String(rooms.columns.shown));
  // Turning to another column is no step to come back to.
  if (recall().room !== room) history.replaceState(null, '', roomLink(room));
  remember({ name: me, room, open: rooms.names });
}

function showPart(part) {
  byId('join').hidden = part !== 'join';
  byId('chat').hidden = part !== 'chat';
}

/** To the field, where that does not bring up a keyboard over half of the screen. */
function takeUp() {
  if (hasMouse.matches) rooms?.chat?.pane.composer.focus();
}

async function share() {
  const { composer } = rooms.chat.pane;
  const link = roomLink(rooms.current);
  try {
    await navigator.clipboard.writeText(link);
    composer.notice('link_copied', {}, 'news');
  } catch {
    // No clipboard without https or permission.
    composer.notice('link_is', { link }, 'news');
  }
}

/** Alt and an arrow lead to the room above or below. */
function onKey(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!rooms || !event.altKey || !step || isComposing(event)) return;
  event.preventDefault();
  const { names } = rooms;
  goTo(names[(names.indexOf(rooms.current) + step + names.length) % names.length]);
  takeUp();
}

byId('share').addEventListener('click', share);
byId('leave').addEventListener('click', leaveCurrent);
byId('columns').addEventListener('click', () => {
  rooms.columns = !rooms.columns.shown;
});
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  rooms.chat.pane.composer.focus();
});
window.addEventListener('popstate', route);
window.addEventListener('keydown', onKey);
document.addEventListener('visibilitychange', () => rooms?.look());

for (const select of document.querySelectorAll('.language')) offerLanguages(select);
speak();
onLanguage(refresh);
new Viewer();

route();
