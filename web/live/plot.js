// One series on the live page: its name and last value, and its plot. Pointing at the plot, or stepping through it with the
// arrow keys, shows a single value.

import { element } from '../common/page.js';
import { locale, onLanguage, say, sayAttribute, words } from '../common/language.js';
import { monotoneSlopes, niceScale, shortNumber } from './series.js';

const HUES = 8;

export class ValueRow {
  #series;
  #value = element('p', 'last');
  #range = element('p', 'hint');
  #canvas = element('canvas', 'plot');
  #plot;
  #marked = null; // the selected point
  #shown = { from: 0, to: 0 };

  /** @param {{name: string, points: object[]}} series @param {number} index its position, which selects the colour */
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

  /** Updates the texts, which change only with the numbers. @param {number} from start of the shown range, ms */
  update(from) {
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
    else this.update(this.#shown.from);
    this.#range.setAttribute('aria-live', point ? 'polite' : 'off');
  }

  #visible() {
    const { from, to } = this.#shown;
    return this.#series.points.filter(({ time }) => time >= from && time <= to);
  }
}

// Draws one series on a canvas: time on x with the newest at the right edge, a smooth line, a few readable ticks.

const MARGIN = { top: 10, right: 12, bottom: 24, left: 52 };
const TICK_SECONDS = [5, 10, 15, 30, 60, 120, 300, 600];
const TICK_WIDTH_PX = 90;
const LAST_DOT_PX = 3.5;

let clock = makeClock();
onLanguage(() => {
  clock = makeClock();
});

export const clockTime = (time) => clock.format(time);

class Plot {
  #canvas;
  #context;
  #width = 0;
  #height = 0;
  #colors = null;

  /** @param {HTMLCanvasElement} canvas sized by the style sheet; the line has its CSS `color` */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => this.#fit()).observe(canvas);
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      matchMedia(query).addEventListener('change', () => {
        this.#colors = null;
      });
    }
  }

  /**
   * @param {{time: number, value: number, broken: boolean}[]} points
   * @param {{from: number, to: number, fitted: boolean}} range of time, in ms since the epoch; `fitted`: the scale begins at the
   *   smallest value, not at zero
   * @param {{time: number, value: number}|null} marked the point to highlight
   */
  draw(points, { from, to, fitted }, marked) {
    if (this.#width === 0) this.#fit();
    const shown = visible(points, from, to);
    const scale = scaleOf(shown, fitted);
    const right = this.#width - MARGIN.right;
    const bottom = this.#height - MARGIN.bottom;
    const place = {
      x: (time) => MARGIN.left + ((time - from) / (to - from)) * (right - MARGIN.left),
      y: (value) => bottom - ((value - scale.low) / (scale.high - scale.low)) * (bottom - MARGIN.top),
    };
    const context = this.#context;
    context.clearRect(0, 0, this.#width, this.#height);
    context.font = '12px ui-sans-serif, system-ui, sans-serif';
    this.#drawValueTicks(scale, place, right);
    this.#drawTimeTicks(from, to, place, bottom);
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, 0, right - MARGIN.left + LAST_DOT_PX + 1, this.#height);
    context.clip();
    const runs = runsOf(shown).map((run) => run.map(({ time, value }) => ({ x: place.x(time), y: place.y(value) })));
    for (const run of runs) this.#drawRun(run, bottom);
    if (runs.length > 0) this.#drawDot(runs.at(-1).at(-1));
    this.#drawBreaks(shown, place, bottom);
    if (marked) this.#drawMark({ x: place.x(marked.time), y: place.y(marked.value) }, bottom);
    context.restore();
  }

  /** The time at `x` pixels from the canvas's left edge. */
  timeAt(x, { from, to }) {
    return from + ((x - MARGIN.left) / (this.#width - MARGIN.right - MARGIN.left)) * (to - from);
  }

  #drawValueTicks({ ticks }, place, right) {
    const context = this.#context;
    const { line, muted } = this.#palette();
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.lineWidth = 1;
    for (const tick of ticks) {
      const y = Math.round(place.y(tick)) + 0.5;
      context.strokeStyle = line;
      this.#stroke([[MARGIN.left, y], [right, y]]);
      context.fillStyle = muted;
      context.fillText(shortNumber(tick), MARGIN.left - 8, y);
    }
  }

  #drawTimeTicks(from, to, place, bottom) {
    const context = this.#context;
    const fitting = Math.max(1, (this.#width - MARGIN.left - MARGIN.right) / TICK_WIDTH_PX);
    const step = 1000 * (TICK_SECONDS.find((seconds) => (to - from) / 1000 / seconds <= fitting) ?? TICK_SECONDS.at(-1));
    context.fillStyle = this.#palette().muted;
    context.textAlign = 'center';
    context.textBaseline = 'alphabetic';
    for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
      const x = place.x(time);
      // A label that would be cut off is omitted.
      if (x > MARGIN.left + 4 && x < this.#width - 30) context.fillText(clock.format(time), x, bottom + 18);
    }
  }

  #drawRun(points, bottom) {
    const context = this.#context;
    const { ink } = this.#palette();
    const last = points.at(-1);
    context.beginPath();
    trace(context, points);
    context.strokeStyle = ink;
    context.lineWidth = 2;
    context.lineJoin = context.lineCap = 'round';
    context.stroke();
    context.lineTo(last.x, bottom);
    context.lineTo(points[0].x, bottom);
    context.globalAlpha = 0.1;
    context.fillStyle = ink;
    context.fill();
    context.globalAlpha = 1;
  }

  #drawDot({ x, y }) {
    this.#context.fillStyle = this.#palette().ink;
    this.#context.beginPath();
    this.#context.arc(x, y, LAST_DOT_PX, 0, 2 * Math.PI);
    this.#context.fill();
  }

  #drawMark(point, bottom) {
    const context = this.#context;
    context.strokeStyle = this.#palette().muted;
    context.lineWidth = 1;
    this.#stroke([[point.x, MARGIN.top], [point.x, bottom]]);
    this.#drawDot(point);
  }

  /** A dashed vertical line where messages are missing. */
  #drawBreaks(points, place, bottom) {
    const context = this.#context;
    context.strokeStyle = this.#palette().own;
    context.lineWidth = 1.5;
    context.setLineDash([4, 4]);
    for (const { time } of points.filter(({ broken }) => broken)) this.#stroke([[place.x(time), MARGIN.top], [place.x(time), bottom]]);
    context.setLineDash([]);
  }

  #stroke([[x1, y1], [x2, y2]]) {
    this.#context.beginPath();
    this.#context.moveTo(x1, y1);
    this.#context.lineTo(x2, y2);
    this.#context.stroke();
  }

  #palette() {
    if (this.#colors) return this.#colors;
    const style = getComputedStyle(this.#canvas);
    const token = (name) => style.getPropertyValue(name).trim();
    this.#colors = { ink: style.color, line: token('--line'), muted: token('--muted'), own: token('--own') };
    return this.#colors;
  }

  #fit() {
    const ratio = devicePixelRatio || 1;
    this.#width = this.#canvas.clientWidth;
    this.#height = this.#canvas.clientHeight;
    this.#canvas.width = Math.round(this.#width * ratio);
    this.#canvas.height = Math.round(this.#height * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }
}

/** The points within the range and one before it, so that the line enters from the edge. */
function visible(points, from, to) {
  const first = points.findIndex(({ time }) => time >= from);
  if (first < 0) return [];
  return points.slice(Math.max(0, first - 1)).filter(({ time }) => time <= to);
}

/** The scale begins at zero unless fitted: 99 % and 100 % at opposite ends of a plot would look like a cliff. */
function scaleOf(points, fitted) {
  if (points.length === 0) return niceScale(0, 1);
  const values = points.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return fitted ? niceScale(least, most) : niceScale(Math.min(0, least), Math.max(0, most));
}

/** Splits the points where messages are missing. */
function runsOf(points) {
  const runs = [];
  for (const point of points) {
    if (point.broken || runs.length === 0) runs.push([]);
    runs.at(-1).push(point);
  }
  return runs;
}

function trace(context, points) {
  const slopes = monotoneSlopes(points);
  context.moveTo(points[0].x, points[0].y);
  for (let i = 1; i < points.length; i += 1) {
    const [from, to] = [points[i - 1], points[i]];
    const third = (to.x - from.x) / 3;
    context.bezierCurveTo(from.x + third, from.y + slopes[i - 1] * third, to.x - third, to.y - slopes[i] * third, to.x, to.y);
  }
}

function makeClock() {
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}
