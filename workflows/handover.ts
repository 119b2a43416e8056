import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { FAILURES } from './contract';

/** A history must stay below 1 000 events; what is under way when this is reached still adds to it. */
const CONTINUE_AS_NEW_EVENTS = 500;

/** Knows when the workflow has to hand over to another run: its history is long, or it belongs on another version of the code. */
export function createHandover() {
  let isFull = false;
  let belongsElsewhere = false;

  return {
    /**
     * To be called where the history records something. A rejected update is not recorded: if the workflow
     * continued as new because of what is seen at that moment, it could not be replayed.
     */
    note(): void {
      const { continueAsNewSuggested, historyLength, targetWorkerDeploymentVersionChanged } = workflowInfo();
      isFull = continueAsNewSuggested || historyLength >= CONTINUE_AS_NEW_EVENTS;
      belongsElsewhere = targetWorkerDeploymentVersionChanged;
    },

    isDue: () => isFull || belongsElsewhere,

    /**
     * A long history takes no more updates. One that only belongs elsewhere does: what is under way may wait for the
     * payment service for a day, and updates that never leave a moment between them make the history long.
     * @throws a failure after which the same update, sent again, reaches the next run
     */
    requireOpen(): void {
      if (!isFull) return;
      const { continuingAsNew: type } = FAILURES;
      const message = 'The workflow is about to continue as new: send the update again.';
      throw ApplicationFailure.create({ message, type, nonRetryable: true, category: 'BENIGN' });
    },
  };
}
