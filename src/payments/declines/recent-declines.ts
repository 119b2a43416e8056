import { DECLINE_WINDOW_MS, type DeclineDocument } from './declines.model';

/** What declined payments are counted by. */
const SUBJECTS = ['by', 'from'] as const;
type Subject = (typeof SUBJECTS)[number];

/**
 * The declined payments of the last hour, in memory. There are few of them, since none is tried after too
 * many; beyond `max` the oldest are forgotten, so that the memory has a bound.
 */
export function createRecentDeclines({ max, now = Date.now }: { max: number; now?: () => number }) {
  const declines = new Map<string, DeclineDocument>(); // the oldest first
  const keysOf = { by: new Map<string, Set<string>>(), from: new Map<string, Set<string>>() };

  function forgetOld(): void {
    for (const [key, decline] of declines) {
      if (isRecent(decline) && declines.size <= max) return;
      declines.delete(key);
      for (const name of SUBJECTS) {
        const keys = keysOf[name].get(decline[name] ?? '');
        keys?.delete(key);
        if (keys?.size === 0) keysOf[name].delete(decline[name]!);
      }
    }
  }

  const isRecent = ({ at }: DeclineDocument) => at.getTime() > now() - DECLINE_WINDOW_MS;

  function latestOf(name: Subject, value: string | undefined): number[] {
    const keys = value === undefined ? undefined : keysOf[name].get(value);
    const recent = [...(keys ?? [])].map((key) => declines.get(key)!).filter(isRecent);
    return recent.map(({ at }) => at.getTime()).sort((a, b) => b - a);
  }

  return {
    /** Adds a declined payment, or what is known of it by now. */
    add(decline: DeclineDocument): void {
      const key = decline._id;
      const known = declines.get(key);
      declines.set(key, { ...known, ...decline });
      for (const name of SUBJECTS) {
        const value = decline[name];
        if (value === undefined) continue;
        const keys = keysOf[name].get(value);
        if (keys) keys.add(key);
        else keysOf[name].set(value, new Set([key]));
      }
      forgetOld();
    },

    /** Returns for how much longer there are as many as the limit or more, in milliseconds; 0 if there are fewer. */
    msAtLimit(name: Subject, value: string | undefined, limit: number): number {
      if (limit === 0) return 0; // no limit
      const decisive = latestOf(name, value)[limit - 1];
      return decisive === undefined ? 0 : Math.max(1, decisive + DECLINE_WINDOW_MS - now());
    },
  };
}
