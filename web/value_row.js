// One series on the live page: its name and last value large, and the plot beside them. Pointing at the plot, or stepping
// through it with the arrow keys, tells a single value.

import { element } from './elements.js';
import { say, sayAttribute, words } from './language.js';
import { clockTime, Plot } from './plot.js';
import { shortNumber } from './series.js';

const HUES = 8;

export class ValueRow {
  #series;
  #value = element('p', 'last');
  #range = element('p', 'hint');
  #canvas = element('canvas', 'plot');
  #plot;
  #marked = null; // the point that is pointed at
  #shown = { from: 0, to: 0 };

  /** @param {{name: string, points: object[]}} series @param {number} index its place, which gives the colour */
  constructor(series, index) {
    this.#series = series;
    this.#canvas.setAttribute('role', 'img');
    this.#canvas.tabIndex = 0;
    const name = element('h2', 'series-name', series.name);
    name.dir = 'auto';
    name.title = series.name;
    this.element = element('article', `value hue-${index % HUES}`, element('div', 'numbers', name, this.#value, this.#range), this.#canvas);
    this.#plot = new Plot(this.#canvas);
    for (const event of ['pointermove', 'pointerdown']) this.#canvas.addEventListener(event, ({ offsetX }) => this.#pointAt(offsetX));
    for (const event of ['pointerleave', 'blur']) this.#canvas.addEventListener(event, () => this.#mark(null));
    this.#canvas.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** What has come since: the words, which only change with the numbers. @param {number} from start of what is shown, ms */
  tell(from) {
    const { name, points } = this.#series;
    const shown = points.filter(({ time }) => time >= from).map(({ value }) => value);
    const last = shortNumber(points.at(-1).value);
    const limits = { least: shortNumber(Math.min(...shown)), most: shortNumber(Math.max(...shown)) };
    const key = shown.length > 0 ? 'range' : 'no_values';
    this.#value.textContent = last;
    if (!this.#marked) say(this.#range, key, limits);
    sayAttribute(this.#canvas, 'aria-label', 'plot_label', { name, last, range: () => words(key, limits) });
  }

  /** @param {{from: number, to: number, fitted: boolean}} range see Plot.draw */
  draw(range) {
    this.#shown = range;
    if (this.#marked && this.#marked.time < range.from) this.#mark(null);
    this.#plot.draw(this.#series.points, range, this.#marked);
  }

  #pointAt(x) {
    const time = this.#plot.timeAt(x, this.#shown);
    const distance = (point) => Math.abs(point.time - time);
    this.#mark(this.#visible().reduce((best, point) => (best && distance(best) <= distance(point) ? best : point), null));
  }

  #onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const points = this.#visible();
    if (event.key === 'Escape') this.#mark(null);
    if (!step || event.altKey || points.length === 0) return;
    event.preventDefault();
    const at = this.#marked ? points.indexOf(this.#marked) + step : points.length - 1;
    this.#mark(points[Math.min(points.length - 1, Math.max(0, at))]);
  }

  #mark(point) {
    if (point === this.#marked) return;
    this.#marked = point;
    if (point) say(this.#range, 'value_at', { value: String(Number(point.value.toPrecision(9))), time: () => clockTime(point.time) });
    else this.tell(this.#shown.from);
    this.#range.setAttribute('aria-live', point ? 'polite' : 'off');
  }

  #visible() {
    const { from, to } = this.#shown;
    return this.#series.points.filter(({ time }) => time >= from && time <= to);
  }
}
