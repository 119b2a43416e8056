import { ApplicationFailure, patched, workflowInfo } from '@temporalio/workflow';
import { FAILURES } from './contract';

/** A history must stay below 1 000 events; what is under way when this is reached still adds to it. */
const CONTINUE_AS_NEW_EVENTS = 500;
/** Most orders never come so far: they are spared the event that a patch costs. */
const NOTED_FROM_EVENTS = 100;

/** Knows when a run has to go on in another one. */
export function createHistoryLimit() {
  let noted: boolean | undefined;

  /**
   * To be called by what the history tells of. An update that is refused is not in it: were a run to move on because of
   * the length that it had just then, it could not be replayed.
   */
  function note(): void {
    if (workflowInfo().historyLength < NOTED_FROM_EVENTS) return;
    if (patched('history-length-is-noted')) {
      noted = isLong(); // replay-tested: replay.test.ts
    } else {
      noted = undefined;
    }
  }

  const isFull = () => noted ?? isLong();

  return {
    note,
    isFull,
    requireOpen(): void {
      if (!isFull()) return;
      const { continuingAsNew: type } = FAILURES;
      const message = 'Send it again.';
      throw ApplicationFailure.create({ message, type, nonRetryable: true, category: 'BENIGN' });
    },
  };
}

function isLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength >= CONTINUE_AS_NEW_EVENTS;
}
