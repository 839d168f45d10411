// A cursor is opaque but for this: `epoch-offset`, and within one epoch a larger offset is later.

const FORM = /^([0-9a-f]{16})-([0-9]{1,20})$/;

/**
 * Whether something at `cursor` is already covered by "I have everything up to `last`".
 * Cursors of different epochs cover nothing of each other.
 * @param {string} cursor
 * @param {string|undefined} last
 */
export function isCovered(cursor, last) {
  const one = FORM.exec(cursor);
  const other = FORM.exec(last ?? '');
  return one !== null && other !== null && one[1] === other[1] && BigInt(one[2]) <= BigInt(other[2]);
}
