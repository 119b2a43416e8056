import { setCurrentDetails } from '@temporalio/workflow';

/**
 * Shows in the Temporal UI what a workflow does from now on.
 * @param what such as `Makes events of all that is written`
 * @param whatToDo if it lasts; each anchor of the runbook is listed in docs/temporal-ui.md
 */
export function showWork(what: string, whatToDo: string): void {
  const since = new Date().toISOString();
  setCurrentDetails(`**Now**, since ${since}: ${what}.\n\n**What to do**: ${whatToDo}`);
}

/** Says what to do if a workflow is at work for longer than it should be. @param page of the runbook */
export const unlessLonger = (than: string, page: string): string =>
  `Nothing, unless it lasts longer than ${than}: ${page}.`;

/** The page about what is done regularly, by one workflow after the other. */
export const UPKEEP = 'docs/runbook.md#upkeep-does-not-end';
