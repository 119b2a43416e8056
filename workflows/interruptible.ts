import { CancellationScope, isCancellation } from '@temporalio/workflow';

/** Runs work that can be interrupted: activities that have not started, or that are about to be repeated, end. */
export function createInterruptible() {
  const interruptions = new Set<symbol>();
  let scope: CancellationScope | undefined;

  return {
    isInterrupted: () => interruptions.size > 0,
    /** Whether an interruption would end work that is under way. */
    isRunning: () => scope !== undefined,

    /** Interrupts the work, and what would begin before the interruption is over. Returns how to end it. */
    interrupt(): () => void {
      const interruption = Symbol('interruption');
      interruptions.add(interruption);
      scope?.cancel();
      return () => void interruptions.delete(interruption);
    },

    /** Returns null if the work was interrupted, also before it began. */
    async run<T>(work: () => Promise<T>): Promise<T | null> {
      if (interruptions.size > 0) return null;
      scope = new CancellationScope();
      try {
        return await scope.run(work);
      } catch (error) {
        if (isCancellation(error)) return null;
        throw error;
      } finally {
        scope = undefined;
      }
    },
  };
}
