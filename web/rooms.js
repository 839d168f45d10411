// The rooms that are joined: one of them is the current one, and it or all of them side by side are seen.

import { Chat } from './chat.js';

const ROOM_FOR_COLUMNS = '(min-width: 64rem)';
const LOOK_AROUND_MS = 20_000;

export class Rooms {
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
   * @param {import('./line.js').Line} line
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
