// The numbers of a room as series over time. Pure.

export const SERIES_MAX = 8;
export const POINTS_MAX = 6000; // ten minutes at ten per second
export const DEPTH_MAX = 8;
const NUMBERS_MAX = 1000; // per message
const NAME_LENGTH_MAX = 40;

/**
 * @returns {[string, number][]} the numbers of a message with their names; a bare number is called `value`, a nested one by its
 *   path: `disk.0.used`
 */
export function numbersIn(data) {
  const value = typeof data === 'string' ? parsed(data) : data;
  if (isNumber(value)) return [['value', value]];
  const numbers = [];
  collect(value, '', 1, numbers);
  return numbers;
}

function collect(value, prefix, depth, numbers) {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return;
  for (const [name, one] of Object.entries(value)) {
    if (numbers.length === NUMBERS_MAX) return;
    if (isNumber(one)) numbers.push([shortName(prefix + name), one]);
    else collect(one, `${prefix}${name}.`, depth + 1, numbers);
  }
}

/** Shortens a name at its beginning: the end says more. */
const shortName = (name) => (name.length > NAME_LENGTH_MAX ? `…${name.slice(1 - NAME_LENGTH_MAX)}` : name);

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The series of a room, each a list of points in order; the oldest is dropped past POINTS_MAX. */
export class SeriesSet {
  #byName = new Map();
  #surplus = new Set();

  /** The number of names past SERIES_MAX, which are not plotted. */
  get surplus() {
    return this.#surplus.size;
  }

  /** @returns {{name: string, points: {time: number, value: number, broken: boolean}[]}[]} in the order of first appearance */
  get all() {
    return [...this.#byName.values()];
  }

  /** @param {number} time ms since the epoch @param {*} data a message's data */
  add(time, data) {
    for (const [name, value] of numbersIn(data)) {
      const series = this.#named(name);
      if (!series) continue;
      series.points.push({ time, value, broken: series.broken });
      series.broken = false;
      if (series.points.length > POINTS_MAX) series.points.shift();
    }
  }

  /** Messages are missing here: the next point of each series does not continue its line. */
  break() {
    for (const series of this.#byName.values()) series.broken = true;
  }

  #named(name) {
    const known = this.#byName.get(name);
    if (known) return known;
    if (this.#byName.size === SERIES_MAX) {
      // Bounded, because publishers choose the names.
      if (this.#surplus.size < 1000) this.#surplus.add(name);
      return null;
    }
    const made = { name, points: [], broken: false };
    this.#byName.set(name, made);
    return made;
  }
}

/**
 * Round tick values for a range.
 * @returns {{low: number, high: number, ticks: number[]}} the range widened to whole steps of 1, 2 or 5 · 10^n
 */
export function niceScale(least, most, steps = 3) {
  if (least === most) {
    const margin = Math.abs(least) / 10 || 1;
    return niceScale(least === 0 ? 0 : least - margin, most + margin, steps);
  }
  const rough = (most - least) / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.ceil(most / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { low: ticks[0], high: ticks.at(-1), ticks };
}

/** A number for people: four significant digits, and a suffix from thousands up. */
export function shortNumber(value) {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  for (const [power, letter] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']]) {
    if (size >= power) return `${Number((value / (letter === 'k' ? 1e3 : power)).toPrecision(4))} ${letter}`;
  }
  return String(Number(value.toPrecision(4)));
}

/**
 * Slopes for a smooth line through the points that never overshoots them (Fritsch and Carlson's monotone cubic).
 * @param {{x: number, y: number}[]} points by growing x @returns {number[]} dy/dx at each point
 */
export function monotoneSlopes(points) {
  const secants = points.slice(1).map(({ x, y }, i) => (x > points[i].x ? (y - points[i].y) / (x - points[i].x) : 0));
  return points.map((_, i) => {
    const [before, after] = [secants[i - 1] ?? secants[i] ?? 0, secants[i] ?? secants[i - 1] ?? 0];
    if (before * after <= 0) return 0;
    return Math.sign(before) * Math.min(Math.abs(before + after) / 2, 3 * Math.abs(before), 3 * Math.abs(after));
  });
}
