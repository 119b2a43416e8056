/** Uniform in [0, 1). */
export type Random = () => number;

/** Taken once: in the sandbox of Jest each look-up of a global is slow, and these are called millions of times. */
const { imul, log } = Math;

/** The same numbers for the same seed, on every machine: Mulberry32 (Tommy Ettinger, public domain). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function exponential(random: Random, mean: number): number {
  return -mean * log(1 - random());
}

export function uniform(random: Random, [from, to]: readonly [number, number]): number {
  return from + (to - from) * random();
}
