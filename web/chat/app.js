// The bundled page of roomcast: puts the parts together and tells them what the browser notices.
//
//   app ──▶ chat (one a room) ──▶ pane ──▶ log, message (the views)      frame: the views around them
//    └──▶ roomcast.js (the client module)      common: names, addresses, storage      language, words/: what it says
//
// What is always read together stands together: on a slow line each file costs a part of a round trip.

import { connect } from '../client/roomcast.js';
import { decodeMessage } from '../client/roomcast/protocol.js';
import { offerLanguages, onLanguage, speak } from '../common/language.js';
import { cleanName, isComposing, recall, remember, roomLink, roomPath, roomProblem } from '../common/page.js';
import { Chat } from './chat.js';
import { JoinForm, Menu, People, RoomList, StatusView, Viewer } from './views.js';

// The page's line to the server: the client module, as far as the page needs it.

/** @typedef {import('../client/roomcast.js').State} State {name, transport?, retryAt?, reason?} as client.state of roomcast.js */

const MESSAGE_BYTES_DEFAULT = 65_536; // limits.message_bytes, until the server says another
const HEAD_PATIENCE_MS = 5_000;
const PENDING_BYTES_MAX = 16 * 1024 * 1024;

class Line {
  #client;
  #messageBytes = MESSAGE_BYTES_DEFAULT; // as an answer last said

  /** @param {string} name how others see us @param {(state: State) => void} onState every change */
  constructor(name, onState) {
    this.#client = connect(new URL('.', location.href), { name, maxPendingBytes: PENDING_BYTES_MAX });
    this.#client.on('state', onState);
  }

  /** Joins a room. @returns {import('../client/roomcast.js').Room} */
  room(name, options) {
    return this.#client.room(name, options);
  }

  /** The cursor of the newest message of a room. @returns {Promise<string>} */
  async headOf(room) {
    const answer = await this.#head(room);
    const cursor = answer.headers.get('Roomcast-Cursor');
    if (!cursor) throw new Error(`HEAD was answered with ${answer.status}`);
    return cursor;
  }

  /** The largest message that the server takes, in bytes, as far as it is known. */
  get messageBytes() {
    return Math.min(this.#messageBytes, this.#client.messageBytes ?? Infinity);
  }

  /** The same, asked anew: a reload of the server may have changed it. */
  async askMessageBytes(room) {
    await this.#head(room).catch(() => {}); // without an answer, what was last said holds
    return this.messageBytes;
  }

  /**
   * The last messages that the room keeps, as `message` events have them; the oldest first, as many as one answer has.
   * @param {{history?: number, since?: string}} from how many, or those behind a cursor
   * @returns {Promise<{messages: object[], cursor: string}>}
   */
  async past(room, from) {
    const query = new URLSearchParams({ transport: 'poll', ...from });
    const answer = await fetch(`${roomPath(room)}?${query}`, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`the past was answered with ${answer.status}`);
    const { messages, cursor } = await answer.json();
    return { messages: messages.map(decodeMessage), cursor };
  }

  /** The user does not want to wait. */
  retry() {
    this.#client.retry();
  }

  close() {
    this.#client.close();
  }

  async #head(room) {
    const answer = await fetch(roomPath(room), { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(HEAD_PATIENCE_MS) });
    const bytes = Number(answer.headers.get('Roomcast-Message-Bytes'));
    if (bytes > 0) this.#messageBytes = bytes;
    return answer;
  }
}

// The rooms that are joined: one of them is the current one, and it or all of them side by side are seen.

const ROOM_FOR_COLUMNS = '(min-width: 64rem)';
const LOOK_AROUND_MS = 20_000;

class Rooms {
  #chats = new Map(); // room -> Chat, in the order they were joined
  #line;
  #name;
  #onChange;
  #wide = matchMedia(ROOM_FOR_COLUMNS);
  #wantsColumns = false;
  #state = { name: 'idle' };
  #current = '';
  #lookAround = setInterval(() => {
    if (!document.hidden && this.#state.name === 'live') this.chat?.lookAround();
  }, LOOK_AROUND_MS);

  /**
   * @param {Line} line
   * @param {string} name
   * @param {() => void} onChange something that is shown beside the rooms is different
   */
  constructor(line, name, onChange) {
    this.#line = line;
    this.#name = name;
    this.#onChange = onChange;
    this.#wide.addEventListener('change', this.#arrange);
  }

  get current() {
    return this.#current;
  }

  get names() {
    return [...this.#chats.keys()];
  }

  /** The current room's chat. */
  get chat() {
    return this.#chats.get(this.#current);
  }

  /** @returns {{room: string, unread: number, current: boolean}[]} */
  get list() {
    return [...this.#chats].map(([room, { unread }]) => ({ room, unread, current: room === this.#current }));
  }

  get unread() {
    return this.list.reduce((sum, { unread }) => sum + unread, 0);
  }

  /** Whether there are columns to be had, and whether they are shown. */
  get columns() {
    const possible = this.#wide.matches && this.#chats.size > 1;
    return { possible, shown: possible && this.#wantsColumns };
  }

  set columns(wanted) {
    this.#wantsColumns = wanted;
    this.#arrange();
  }

  /** Joins a room unless it has; does not go to it. */
  join(room) {
    if (this.#chats.has(room)) return;
    const on = {
      isSeen: () => this.#isSeen(room) && !document.hidden,
      news: () => this.#onChange(),
      presence: () => this.#onChange(),
      focus: () => {
        if (room !== this.#current) this.goTo(room);
      },
    };
    const chat = new Chat({ line: this.#line, room, name: this.#name, on });
    this.#chats.set(room, chat);
    chat.lineIs(this.#state);
  }

  goTo(room) {
    this.#current = room;
    this.#arrange();
    if (this.#state.name === 'live') this.chat.lookAround();
  }

  /** Leaves the current room. @returns {string} a neighbour to go to; empty if that was the last one */
  leaveCurrent() {
    const index = this.names.indexOf(this.#current);
    this.chat.leave();
    this.#chats.delete(this.#current);
    return this.names[Math.min(index, this.#chats.size - 1)] ?? '';
  }

  leaveAll() {
    clearInterval(this.#lookAround);
    this.#wide.removeEventListener('change', this.#arrange);
    for (const chat of this.#chats.values()) chat.suspend();
    this.#chats.clear();
  }

  lineIs(state) {
    this.#state = state;
    for (const chat of this.#chats.values()) chat.lineIs(state);
  }

  /** The page is looked at (again): what is on the screen is read. */
  look() {
    if (document.hidden) return;
    for (const [room, chat] of this.#chats) {
      if (this.#isSeen(room)) chat.seen();
    }
    this.#onChange();
  }

  #isSeen(room) {
    return room === this.#current || this.columns.shown;
  }

  #arrange = () => {
    document.getElementById('panes').classList.toggle('columns', this.columns.shown);
    for (const [room, { pane }] of this.#chats) pane.show(this.#isSeen(room), room === this.#current);
    this.look();
    this.#onChange();
  };
}

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
