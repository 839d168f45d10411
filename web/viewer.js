// A picture of the log, opened large.

export class Viewer {
  #dialog = document.getElementById('viewer');
  #picture = document.querySelector('#viewer img');

  constructor() {
    document.addEventListener('click', (event) => {
      const opener = event.target.closest?.('.picture-open');
      if (opener) this.#open(opener.querySelector('img'));
    });
    // A click anywhere closes it, as the Escape key does by itself.
    this.#dialog.addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#picture.removeAttribute('src'));
  }

  #open(picture) {
    this.#picture.src = picture.src;
    this.#picture.alt = picture.alt;
    this.#dialog.showModal();
  }
}
