/** What the limit is never below, however slow everything is: with less, nothing could be learnt. */
const LEAST = 8;
/** How many times as long as with little under way it may take, in the median, before there is too much. */
const SLOWER = 2;
/** Up to this part of that, the limit grows; between the two it stays, or it would overshoot again and again. */
const ROOM = 0.75;
/** A probe lets in this part of what is allowed. It is well below 1 / SLOWER, so that a probe is fast where that is the cause. */
const PROBED_PART = 1 / 5;
/** How many are looked at together, and in a probe. */
const WINDOW = { least: 10, most: 40 };
const PROBE_WINDOW = 5;
/** What part of the way the baseline goes to what was measured last. */
const LEARNING = 0.2;
/** How often it is looked at again how long it takes with little under way, while the limit holds others back. */
const PROBE_EVERY_MS = 15_000;
/** A probe takes at most so many times as long as one has taken before. */
const PROBE_LENGTHS = 4;
/** After this time without a refusal there is no overload any more, and a burst is welcome again. */
const CALM_MS = 10_000;
/** How much a window can change the limit at most. */
const LEAST_FACTOR = 0.5;
const MOST_FACTOR = 1.25;

export interface AdaptiveLimitOptions {
  /** How many there may be at once to begin with, and whenever nothing was refused for a while. */
  initial: number;
  /** How many there may be at most, however fast it is. */
  max: number;
  /** In milliseconds. */
  now?(): number;
}

/** A place, which is left once. */
export interface Place {
  /** @param ms how long it has taken; undefined if that says nothing about the load */
  leave(ms?: number): void;
}

/**
 * Limits how much is under way at once, to what is done nearly as fast as with little under way: what is beyond that waits
 * somewhere, and makes everything take longer without more of it being done. As congestion control does in networks (TCP Vegas,
 * and the probes of BBR), it knows nothing but how long it takes, so it needs no figures of the machines.
 *
 * - Of every few that are done, the median counts. If it is above `SLOWER` times the baseline, the limit shrinks in proportion;
 *   if not, and the limit is used, it grows.
 * - The baseline is how long it takes with little under way. It is learnt whenever that is so, and by a probe while the limit holds
 *   others back: for a moment, few are let in. So what has become slow for another reason, as a payment service may, is known
 *   to be no overload after seconds.
 */
export function createAdaptiveLimit({ initial, max, now = () => performance.now() }: AdaptiveLimitOptions) {
  const first = Math.min(initial, max);
  let limit = first;
  let active = 0;
  let baseline: number | undefined;
  let peak = 0;
  let window: number[] = [];
  let refusedAt = -Infinity;
  let probe: { until: number; isDrained: boolean } | undefined;
  let probedAt = -Infinity;
  /** What has entered before the limit was cut says how long it took at that time, not how long it takes now. */
  let epoch = 0;

  function allowed(): number {
    return Math.floor(probe ? Math.max(2, limit * PROBED_PART) : limit);
  }

  function enter(): Place | undefined {
    const at = now();
    if (probe && at > probe.until) endProbe(at);
    if (at - refusedAt > CALM_MS) limit = Math.max(limit, first);
    if (active >= allowed()) refusedAt = at;
    return enterUpTo(allowed());
  }

  function enterUpTo(most: number): Place | undefined {
    if (active >= most) return undefined;
    active++;
    peak = Math.max(peak, active);
    const itsEpoch = epoch;
    let isLeft = false;
    return {
      leave(ms) {
        if (isLeft) return;
        isLeft = true;
        active--;
        if (probe && !probe.isDrained && active < allowed()) {
          probe.isDrained = true;
          beginWindow();
          return;
        }
        if (ms === undefined || itsEpoch !== epoch || (probe && !probe.isDrained)) return;
        window.push(ms);
        if (!probe && window.length >= windowSize()) evaluate(now());
        if (probe && window.length >= PROBE_WINDOW) endProbe(now());
      },
    };
  }

  /** About as many as come through in the time that one takes. */
  function windowSize(): number {
    return Math.min(WINDOW.most, Math.max(WINDOW.least, limit));
  }

  function evaluate(at: number): void {
    const median = medianOf(window);
    const isFew = peak <= Math.max(2, limit * PROBED_PART);
    // What is faster than the baseline shows that it was too high. It rises if that cannot be for many that are under way.
    if (baseline === undefined) baseline = median;
    else if (median < baseline || isFew) baseline += LEARNING * (median - baseline);
    const most = SLOWER * baseline;
    const isSlow = median > most;
    if (isSlow) limit = Math.max(Math.min(LEAST, max), limit * Math.max(LEAST_FACTOR, most / median));
    else if (median < ROOM * most && peak >= limit / 2)
      limit = Math.min(max, limit * Math.min(MOST_FACTOR, (ROOM * most) / median));
    if (isSlow) beginWindow();
    else continueWindow();
    if (isSlow && at - refusedAt < CALM_MS && at - probedAt > PROBE_EVERY_MS)
      probe = { until: at + PROBE_LENGTHS * median, isDrained: false };
  }

  function endProbe(at: number): void {
    if (window.length > 0) baseline = medianOf(window);
    probe = undefined;
    probedAt = at;
    beginWindow();
  }

  function beginWindow(): void {
    epoch++;
    continueWindow();
  }

  function continueWindow(): void {
    window = [];
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

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
