// The entry of the chat page: creates the parts, connects them, and handles the browser's events.
//
//   app ──▶ chat (one per room) ──▶ pane ──▶ log, message (rendering)      views: join form, room list, people, status
//    └──▶ client/roomcast.js (the client module)      common/: names, addresses, storage, language
//
// Modules that are always loaded together share a file: on a slow connection each file costs part of a round trip.

import { connect } from '../client/roomcast.js';
import { decodeMessage } from '../client/roomcast/protocol.js';
import { offerLanguages, onLanguage, speak } from '../common/language.js';
import { cleanName, isComposing, recall, remember, roomLink, roomPath, roomProblem } from '../common/page.js';
import { Chat } from './chat.js';
import { JoinForm, Menu, People, RoomList, StatusView, Viewer } from './views.js';

// The page's connection to the server: the client module, narrowed to what the page needs.

/** @typedef {import('../client/roomcast.js').State} State {name, transport?, retryAt?, reason?} as client.state of roomcast.js */

const MESSAGE_BYTES_DEFAULT = 65_536; // limits.message_bytes, until the server reports another value
const HEAD_PATIENCE_MS = 5_000;
const PENDING_BYTES_MAX = 16 * 1024 * 1024;

class ServerConnection {
  #client;
  #messageBytes = MESSAGE_BYTES_DEFAULT; // from the last response that reported it

  /** @param {string} name the user's name, as others see it @param {(state: State) => void} onState called at every change */
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

  /** The largest message that the server accepts, in bytes, as far as known. */
  get messageBytes() {
    return Math.min(this.#messageBytes, this.#client.messageBytes ?? Infinity);
  }

  /** The same, requested again: a reload of the server may have changed it. */
  async fetchMessageBytes(room) {
    await this.#head(room).catch(() => {}); // without a response the last known value holds
    return this.messageBytes;
  }

  /**
   * The last retained messages of the room, in the form of `message` events, oldest first, as many as fit into one response.
   * @param {{history?: number, since?: string}} from how many, or after which cursor
   * @returns {Promise<{messages: object[], cursor: string}>}
   */
  async past(room, from) {
    const query = new URLSearchParams({ transport: 'poll', ...from });
    const answer = await fetch(`${roomPath(room)}?${query}`, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`the past was answered with ${answer.status}`);
    const { messages, cursor } = await answer.json();
    return { messages: messages.map(decodeMessage), cursor };
  }

  /** Whether the user may moderate the room. */
  async mayModerate(room) {
    const answer = await fetch(`api/me?${new URLSearchParams({ room })}`, { cache: 'no-store' });
    const { may = [] } = answer.ok ? await answer.json() : {};
    return may.includes('moderate') || may.includes('admin');
  }

  /** Tries to reconnect now instead of waiting. */
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

// The joined rooms. One is the current one; visible is that one, or all of them side by side.

const ROOM_FOR_COLUMNS = '(min-width: 64rem)';
const PRESENCE_REFRESH_MS = 20_000;

class Rooms {
  #chats = new Map(); // room -> Chat, in the order of joining
  #connection;
  #name;
  #onChange;
  #wide = matchMedia(ROOM_FOR_COLUMNS);
  #wantsColumns = false;
  #state = { name: 'idle' };
  #current = '';
  #refreshPresence = setInterval(() => {
    if (!document.hidden && this.#state.name === 'live') this.chat?.refreshPresence();
  }, PRESENCE_REFRESH_MS);

  /**
   * @param {ServerConnection} connection
   * @param {string} name
   * @param {() => void} onChange something changed that is shown beside the rooms
   */
  constructor(connection, name, onChange) {
    this.#connection = connection;
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

  /** Whether columns are possible, and whether they are shown. */
  get columns() {
    const possible = this.#wide.matches && this.#chats.size > 1;
    return { possible, shown: possible && this.#wantsColumns };
  }

  set columns(wanted) {
    this.#wantsColumns = wanted;
    this.#arrange();
  }

  /** Joins a room unless it is joined already; does not switch to it. */
  join(room) {
    if (this.#chats.has(room)) return;
    const on = {
      isSeen: () => this.#isSeen(room) && !document.hidden,
      unread: () => this.#onChange(),
      presence: () => this.#onChange(),
      refused: askToSignIn,
      focus: () => {
        if (room !== this.#current) this.goTo(room);
      },
    };
    const chat = new Chat({ connection: this.#connection, room, name: this.#name, on });
    this.#chats.set(room, chat);
    chat.connectionChanged(this.#state);
  }

  goTo(room) {
    this.#current = room;
    this.#arrange();
    if (this.#state.name === 'live') this.chat.refreshPresence();
  }

  /** Leaves the current room. @returns {string} a neighbour to switch to; empty if it was the last one */
  leaveCurrent() {
    const index = this.names.indexOf(this.#current);
    this.chat.leave();
    this.#chats.delete(this.#current);
    return this.names[Math.min(index, this.#chats.size - 1)] ?? '';
  }

  leaveAll() {
    clearInterval(this.#refreshPresence);
    this.#wide.removeEventListener('change', this.#arrange);
    for (const chat of this.#chats.values()) chat.suspend();
    this.#chats.clear();
  }

  connectionChanged(state) {
    this.#state = state;
    for (const chat of this.#chats.values()) chat.connectionChanged(state);
  }

  /** The page became visible, or its layout changed: marks the visible rooms as read. */
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

let connection = null;
let rooms = null;
let me = '';

const people = new People();
const menu = new Menu();
const roomList = new RoomList((room) => {
  goTo(room);
  menu.close();
  focusComposer();
});
const status = new StatusView(() => {
  focusComposer();
  connection?.retry();
});
const joinForm = new JoinForm(({ name, room }) => {
  history.pushState(null, '', roomLink(room));
  enter(name, room, [room]);
});

let account = null; // an Account, where the server has accounts
const accountFound = findAccount();

async function findAccount() {
  const found = await fetch('api/login', { cache: 'no-store' }).then((answer) => answer.json()).catch(() => null);
  if (found?.accounts !== true) return;
  const { Account } = await import('./account.js');
  account = new Account(found, onAccount);
  if (account.name && account.name !== me) onAccount('in');
}

/** The user has signed in or out, and with that has another name. */
function onAccount(what) {
  if (what === 'out') history.pushState(null, '', roomLink(''));
  leaveAll();
  route();
}

/** The server has refused something, with `code`. */
async function askToSignIn(code) {
  await accountFound;
  account?.refused(code);
}

/** Opens the room that the address names. */
function route() {
  const known = recall();
  const name = account?.name || cleanName(known.name);
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
  connection = new ServerConnection(name, onState);
  rooms = new Rooms(connection, name, refresh);
  showPart('chat');
  for (const one of new Set([...open, room])) rooms.join(one);
  rooms.goTo(room);
  focusComposer();
}

function leaveAll() {
  rooms?.leaveAll();
  connection?.close();
  rooms = connection = null;
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
  else focusComposer();
}

function onState(state) {
  status.show(state);
  if (state.name === 'closed') askToSignIn(state.code);
  people.connectionChanged(state.name === 'live');
  rooms?.connectionChanged(state);
}

/** Updates everything around the rooms. */
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
  // Switching columns adds no history entry.
  if (recall().room !== room) history.replaceState(null, '', roomLink(room));
  remember({ name: me, room, open: rooms.names });
}

function showPart(part) {
  byId('join').hidden = part !== 'join';
  byId('chat').hidden = part !== 'chat';
}

/** Focuses the message field, except where that would open an on-screen keyboard. */
function focusComposer() {
  if (hasMouse.matches) rooms?.chat?.pane.composer.focus();
}

async function share() {
  const { composer } = rooms.chat.pane;
  const link = roomLink(rooms.current);
  try {
    await navigator.clipboard.writeText(link);
    composer.notice('link_copied', {}, 'info');
  } catch {
    // The clipboard needs https and permission.
    composer.notice('link_is', { link }, 'info');
  }
}

/** Alt + arrow up or down switches to the room above or below. */
function onKey(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!rooms || !event.altKey || !step || isComposing(event)) return;
  event.preventDefault();
  const { names } = rooms;
  goTo(names[(names.indexOf(rooms.current) + step + names.length) % names.length]);
  focusComposer();
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
