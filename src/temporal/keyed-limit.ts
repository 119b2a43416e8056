/** Does `work` when it is its turn among those with the same key; `late` when that is not before the deadline. */
export type Turns = <T>(key: string, deadline: number, work: () => Promise<T>) => Promise<T | 'late'>;

interface Line {
  taken: number;
  waiting: Set<() => void>;
}

/** Lets at most `limit` at a time through for each key, first come, first served. */
export function createTurns(limit: number): Turns {
  const lines = new Map<string, Line>();

  async function take(key: string, deadline: number): Promise<boolean> {
    const line = lines.get(key) ?? { taken: 0, waiting: new Set() };
    lines.set(key, line);
    if (line.taken < limit) {
      line.taken++;
      return true;
    }
    return new Promise((resolve) => {
      const call = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const giveUp = () => {
        line.waiting.delete(call);
        resolve(false);
      };
      const timer = setTimeout(giveUp, deadline - Date.now());
      line.waiting.add(call);
    });
  }

  function pass(key: string): void {
    const line = lines.get(key)!;
    const [next] = line.waiting;
    if (next) {
      line.waiting.delete(next);
      next();
    } else if (--line.taken === 0) {
      lines.delete(key);
    }
  }

  return async (key, deadline, work) => {
    if (!(await take(key, deadline))) return 'late';
    try {
      return await work();
    } finally {
      pass(key);
    }
  };
}
