// Random choices that can be repeated.

/** A generator: the same choices for the same `seed`. */
export function chanceOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n), of: (list) => list[Math.floor(next() * list.length)], happens: (share) => next() < share };
}

/** The seed of this run: ROOMCAST_SEED, or another each time. */
export const seed = Number(process.env.ROOMCAST_SEED ?? Date.now() % 1_000_000_000);
