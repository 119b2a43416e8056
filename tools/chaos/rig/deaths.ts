import type { Death } from './unit';

/**
 * What Node.js says when it dies of this: the Temporal SDK gives workflow code 5 s, by a clock that does not stop
 * while the process is frozen. On the continue it ends the code in the middle, which Node.js does not survive in a thread of
 * its own. What supervises the worker starts it again.
 */
const ENDED_IN_WORKFLOW_CODE = 'async hook stack has become corrupted';
/** A process may be gone before its last line is read, and the other way round. */
const CLOSE_MS = 5_000;

/** Tells the deaths of processes that no supervisor can prevent from those that are faults of theirs. */
export function createDeaths() {
  const deaths: (Death & { at: number })[] = [];
  const said: { name: string; at: number }[] = [];

  function isOfFreeze({ name, at, isAfterThaw }: (typeof deaths)[number]): boolean {
    return isAfterThaw && said.some((line) => line.name === name && Math.abs(line.at - at) < CLOSE_MS);
  }

  return {
    note: (death: Death): void => void deaths.push({ ...death, at: performance.now() }),
    /** Reads a line of what a process writes. */
    read(name: string, line: string): void {
      if (line.includes(ENDED_IN_WORKFLOW_CODE)) said.push({ name, at: performance.now() });
    },
    faults: (): string[] =>
      deaths.filter((death) => !isOfFreeze(death)).map(({ name, how }) => `${name} ${how}`),
    ofFreezes: (): number => deaths.filter(isOfFreeze).length,
  };
}
