// Whose the words at the top of the screen are, and from when, where the line that says so has been scrolled away.

const NAME_HEIGHT_PX = 24;

export class Above {
  #scroller;
  #list;
  #label;
  #frame = null;

  /** @param {HTMLElement} pane */
  constructor(pane) {
    this.#scroller = pane.querySelector('.scroller');
    this.#list = pane.querySelector('.log');
    this.#label = pane.querySelector('.above');
  }

  /** The reader may see other lines by now. */
  look() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#show(this.#lineAtTop());
    });
  }

  #lineAtTop() {
    const { left, top, width } = this.#scroller.getBoundingClientRect();
    if (width === 0) return null;
    const at = document.elementsFromPoint(left + width / 2, top + NAME_HEIGHT_PX / 2);
    const line = at.map((one) => one.closest('.message')).find((one) => one?.parentElement === this.#list);
    const hasOwnName = line?.matches('.first') && line.getBoundingClientRect().top >= top - NAME_HEIGHT_PX / 2;
    return hasOwnName ? null : line;
  }

  #show(line) {
    this.#label.hidden = !line;
    if (!line) return;
    const parts = [line.querySelector('time'), line.querySelector('.name')].map((part) => part.cloneNode(true));
    this.#label.replaceChildren(...parts);
  }
}
