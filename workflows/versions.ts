import { makeContinueAsNewFunc, workflowInfo, type Workflow } from '@temporalio/workflow';

/**
 * A run stays with the version of the code on which it began: what it has done is never replayed by other code, so that code
 * may change without patches. It needs workers of that version until it ends or continues as new.
 */
export const PINNED = 'PINNED';

/**
 * A run is continued by whatever version is current. For what does not end, or is a single step whose worker must not be
 * missed: a change of its sequence needs a patch, and recorded histories show whether one is missing.
 */
export const AUTO_UPGRADE = 'AUTO_UPGRADE';

/**
 * Returns `continueAsNew` for a pinned workflow whose next run begins on the version that it belongs on by now. What is
 * handed over has to suit both, also the older one after a rollback.
 */
export function onItsVersion<F extends Workflow>() {
  return makeContinueAsNewFunc<F>({ initialVersioningBehavior: AUTO_UPGRADE });
}

/** Whether a pinned workflow should continue as new between two of its parts: its history is long, or it belongs elsewhere. */
export function shouldMove(): boolean {
  const { continueAsNewSuggested, targetWorkerDeploymentVersionChanged } = workflowInfo();
  return continueAsNewSuggested || targetWorkerDeploymentVersionChanged;
}
