import { CancellationScope, log } from '@temporalio/workflow';

/** The undo stack of a saga: each compensation is added before the step that it undoes. */
export class Compensations<Cause> {
  private readonly stack: { name: string; undo: (cause: Cause) => Promise<unknown> }[] = [];

  /** @param undo idempotent, and safe when its step never happened, happened, or happens late */
  add(name: string, undo: (cause: Cause) => Promise<unknown>): void {
    this.stack.push({ name, undo });
  }

  /**
   * Runs all of them, last added first, whatever cancels the workflow meanwhile; one that fails does not stop the
   * others.
   * @throws the first failure, when all have run
   */
  async run(cause: Cause): Promise<void> {
    const failures: unknown[] = [];
    await CancellationScope.nonCancellable(async () => {
      for (const { name, undo } of this.stack.splice(0).reverse()) {
        try {
          await undo(cause);
        } catch (error) {
          log.error('compensation failed', { compensation: name, error });
          failures.push(error);
        }
      }
    });
    if (failures.length > 0) throw failures[0];
  }
}
