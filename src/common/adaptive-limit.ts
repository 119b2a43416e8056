/** It is calm after this time without a refusal: then what is usual is learnt, and a burst is welcome. In milliseconds. */
const CALM_MS = 10_000;
/** One in so many may take longer than is usual, and longer than is allowed. */
const TOLERATED = 1 / 10;
/** What takes so many times as long as is usual is late. */
const LATE = 1.4;
/** Up to so many times, there is room for more. Between the two the limit stays, or it would overshoot again and again. */
const ROOM = 1.2;
/** By what part each one in a calm time moves what is usual, if it took longer. */
const LEARNING = 0.02;
/** So many are judged together: about as many as come through in the time that one takes. */
const WINDOW = { least: 10, most: 40 };
/** How much the limit changes at once at most. */
const LEAST_FACTOR = 0.5;
const MOST_FACTOR = 1.25;
/** It grows if this part of it was used. */
const USED_PART = 0.8;
/** While it is used less than this, those under way tell what is usual. */
const CALM_PART = 0.5;
/** A probe lets in this part of what is allowed, until so many of them are done. */
const PROBED_PART = 1 / 5;
const PROBE_COUNT = 5;
/** How often, and for how long at most, in milliseconds: in all processes at the same time, if their clocks agree. */
const PROBE_EVERY_MS = 15_000;

export interface AdaptiveLimitOptions {
  /** How many there may be at once to begin with, and whenever nothing was refused for a while. */
  initial: number;
  /** How many there may be at most, however fast it is. */
  max: number;
  /** In milliseconds, the same in all processes. */
  now?(): number;
}

/** A place, which is left once. */
export interface Place {
  /**
   * @param ms how long it has taken; undefined if that says nothing about the load
   * @param isTypical false if it was less work than others, which says something only if it is late all the same
   */
  leave(ms?: number, isTypical?: boolean): void;
}

interface Entry {
  /** Whether what it takes tells what is usual. */
  isCalm: boolean;
  isProbe: boolean;
  epoch: number;
}

/**
 * Limits how much is under way at once, to what is done nearly as fast as usual: what is beyond that waits somewhere, and makes
 * everything take longer without more of it being done (Little's law: what is under way is what is done per second times how long
 * it takes). As Netflix's concurrency-limits do with the gradient of latencies, and TCP Vegas before them, it knows nothing but how
 * long it takes, so it needs no figures of the machines.
 *
 * - What is usual is learnt in calm times: what nine of ten take. So time that is always waited, as for a payment, is not taken for
 *   a queue, and work of different sizes not for a change.
 * - If more than one in ten takes `LATE` times as long, the limit shrinks in proportion. If not one in ten takes `ROOM` times as
 *   long, and nearly all of the limit was used, it grows.
 * - What has become slow for another reason, as a payment service may, is no overload. It is told by a probe, as TCP BBR measures
 *   how long a path takes without its own queue: for a moment few are let in, by all processes, and what they take is usual.
 */
export function createAdaptiveLimit({ initial, max, now = monotonic }: AdaptiveLimitOptions) {
  const first = Math.min(initial, max);
  let limit = first;
  let active = 0;
  let peak = 0;
  let refusedAt = -Infinity;
  let usual: number | undefined;
  let done = { all: 0, late: 0, slow: 0 };
  /** What has entered before the limit was cut says how long it took at that time, not how long it takes now. */
  let epoch = 0;
  let probe: { until: number; isDrained: boolean } | undefined;
  let probedAt = -Infinity;
  let isProbeDue = false;
  /** What those of a probe have taken, or the first ones ever. */
  let few: number[] = [];

  function allowed(): number {
    return Math.floor(probe ? Math.max(1, limit * PROBED_PART) : limit);
  }

  function enter(): Place | undefined {
    const at = now();
    const isCalm = at - refusedAt > CALM_MS;
    if (probe && (isCalm || at > probe.until)) endProbe(at);
    if (isCalm) limit = Math.max(limit, first);
    else if (isProbeDue && !probe && periodOf(at) > periodOf(probedAt)) beginProbe(at);
    if (active < allowed()) return take({ isCalm, isProbe: probe?.isDrained ?? false, epoch });
    refusedAt = at;
    return undefined;
  }

  function enterUpTo(most: number): Place | undefined {
    return active < most ? take({ isCalm: false, isProbe: false, epoch }) : undefined;
  }

  function take(entry: Entry): Place {
    entry.isCalm &&= active < limit * CALM_PART;
    active++;
    peak = Math.max(peak, active);
    let isLeft = false;
    return {
      leave(ms, isTypical = true) {
        if (isLeft) return;
        isLeft = true;
        active--;
        if (probe && active < allowed()) probe.isDrained = true;
        if (ms === undefined) return;
        if (isTypical) learn(ms, entry);
        if (probe || entry.epoch !== epoch) return;
        if (usual !== undefined) judge(ms, isTypical, usual);
        else if (now() - refusedAt <= CALM_MS) beginProbe(now());
      },
    };
  }

  /** Learns what nine of ten take: each moves it by a step, of which one up and nine down are equally long. */
  function learn(ms: number, { isCalm, isProbe }: Entry): void {
    if (isCalm && usual !== undefined)
      usual *= ms > usual ? 1 + LEARNING : 1 - (LEARNING * TOLERATED) / (1 - TOLERATED);
    else if (isCalm || isProbe) few.push(ms);
    if (few.length < (usual === undefined ? 2 * PROBE_COUNT : PROBE_COUNT)) return;
    few.sort((one, other) => one - other);
    if (usual === undefined) usual = few.at(-1)!;
    else if (few[Math.floor(few.length / 2)]! > usual) usual = few.at(-2)!;
    few = [];
    if (probe) endProbe(now());
  }

  function judge(ms: number, isTypical: boolean, usual: number): void {
    const isLate = ms > LATE * usual;
    if (!isTypical && !isLate) return;
    const size = Math.min(WINDOW.most, Math.max(WINDOW.least, limit));
    done.all++;
    if (isLate) done.late++;
    if (ms > ROOM * usual) done.slow++;
    if (done.late > TOLERATED * size) {
      limit = Math.max(1, limit * Math.max(LEAST_FACTOR, (LATE * usual) / ms));
      isProbeDue = now() - refusedAt <= CALM_MS;
      beginEpoch();
    } else if (done.all >= size) {
      if (done.slow <= TOLERATED * size && peak >= USED_PART * Math.floor(limit))
        limit = Math.min(max, Math.max(limit + 1, limit * MOST_FACTOR));
      beginWindow();
    }
  }

  function beginProbe(at: number): void {
    probe = { until: at + PROBE_EVERY_MS, isDrained: false };
    probe.isDrained = active < allowed();
    few = [];
    beginEpoch();
  }

  function endProbe(at: number): void {
    probe = undefined;
    probedAt = at;
    isProbeDue = false;
    beginEpoch();
  }

  function beginEpoch(): void {
    epoch++;
    beginWindow();
  }

  function beginWindow(): void {
    done = { all: 0, late: 0, slow: 0 };
    peak = active;
  }

  return {
    /** Returns a place, or undefined if there are too many. */
    enter,
    /** The same with another limit for once. */
    enterUpTo,
    /** How many there are. */
    active: () => active,
    /** How many there may be. */
    limit: allowed,
  };
}

/** The time as the clock said it when the process started, and what has passed since: it is not set back, nor forward. */
export function monotonic(): number {
  return performance.timeOrigin + performance.now();
}

function periodOf(at: number): number {
  return Math.floor(at / PROBE_EVERY_MS);
}
