// One series on the live page: its name and last value large, and the plot beside them.

import { element } from './elements.js';
import { Plot } from './plot.js';
import { shortNumber } from './series.js';

const HUES = 8;

export class ValueRow {
  #series;
  #value = element('p', 'last');
  #range = element('p', 'hint');
  #canvas = element('canvas', 'plot');
  #plot;

  /** @param {{name: string, points: object[]}} series @param {number} index its place, which gives the colour */
  constructor(series, index) {
    this.#series = series;
    this.#canvas.setAttribute('role', 'img');
    const name = element('h2', 'series-name', series.name);
    name.dir = 'auto';
    this.element = element('article', `value hue-${index % HUES}`, element('div', 'numbers', name, this.#value, this.#range), this.#canvas);
    this.#plot = new Plot(this.#canvas);
  }

  /** What has come since: the words, which only change with the numbers. @param {number} from start of what is shown, ms */
  tell(from) {
    const { name, points } = this.#series;
    const shown = points.filter(({ time }) => time >= from).map(({ value }) => value);
    const last = shortNumber(points.at(-1).value);
    const range = shown.length > 0 ? `${shortNumber(Math.min(...shown))} to ${shortNumber(Math.max(...shown))}` : 'nothing of late';
    this.#value.textContent = last;
    this.#range.textContent = range;
    this.#canvas.setAttribute('aria-label', `${name} over time: last ${last}, ${range}`);
  }

  draw(range) {
    this.#plot.draw(this.#series.points, range);
  }
}
