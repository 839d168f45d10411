// Who is in a room, as far as was told.

export class Presence {
  #names = new Map(); // name -> member
  #known = false;
  count = 0;
  anonymous = 0;
  /** Too many to be named: only `count` is told. */
  crowd = false;

  /** Sorted by name; empty in a crowd. */
  get members() {
    return [...this.#names.values()];
  }

  /**
   * A whole picture, after which the members are exactly these.
   * @returns {{joined: object[], left: object[]}} what is different from before; nothing at the first picture
   */
  replace({ count, members, anonymous = 0 }) {
    this.count = count;
    this.crowd = members === undefined;
    if (this.crowd) {
      this.#names.clear();
      this.#known = false;
      return { joined: [], left: [] };
    }
    const before = this.#names;
    this.#names = new Map(members.map((member) => [member.name, member]));
    this.anonymous = anonymous;
    const changes = {
      joined: this.#known ? members.filter(({ name }) => !before.has(name)) : [],
      left: this.#known ? [...before.values()].filter(({ name }) => !this.#names.has(name)) : [],
    };
    this.#known = true;
    return changes;
  }

  /** @returns {boolean} whether that was news */
  join(member) {
    if (this.#names.has(member.name)) return false;
    const members = [...this.#names.values(), member].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#names = new Map(members.map((one) => [one.name, one]));
    this.count += 1;
    return true;
  }

  /** @returns {boolean} whether that was news */
  leave(member) {
    if (!this.#names.delete(member.name)) return false;
    this.count -= 1;
    return true;
  }
}
