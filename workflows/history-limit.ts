import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { FAILURES } from './contract';

/** A history must stay below 1 000 events; what is under way when this is reached still adds to it. */
const CONTINUE_AS_NEW_EVENTS = 500;

/** Knows when a run has to go on in another one. */
export function createHistoryLimit() {
  let isFull = false;

  /**
   * To be called by what the history tells of. An update that is refused is not in it: were a run to move on because of
   * the length that it had just then, it could not be replayed.
   */
  function note(): void {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    isFull = continueAsNewSuggested || historyLength >= CONTINUE_AS_NEW_EVENTS;
  }

  return {
    note,
    isFull: () => isFull,
    requireOpen(): void {
      if (!isFull) return;
      const { continuingAsNew: type } = FAILURES;
      const message = 'Send it again.';
      throw ApplicationFailure.create({ message, type, nonRetryable: true, category: 'BENIGN' });
    },
  };
}
