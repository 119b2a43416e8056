import {
  allHandlersFinished,
  condition,
  proxyActivities,
  setHandler,
  sleep,
  setWorkflowOptions,
} from '@temporalio/workflow';
import type { ErasureActivities } from '../activities/erasure.activities';
import type { ErasureAnswer, ErasureRequest } from '../src/domain/erasing';
import { beginErasureUpdate } from './contract';
import { showWork, unlessLonger } from './work.display';
import { onItsVersion, PINNED } from './versions';

const { closeAccount, eraseHistories, eraseData } = proxyActivities<ErasureActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '60s' },
});

/** How long orders are waited for that something stands in the way of, at first and at most. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 3_600_000;

/**
 * Erases the personal data of a user: closes the account, unless something stands in the way, lets orders arrive that were
 * on their way, and erases what Temporal and MongoDB have. Each run does so once; where something stands in the way, it
 * continues in another run.
 * @param pauseMs of a run that continues another one, how long it waits if something still stands in the way
 */
export async function erasureWorkflow(request: ErasureRequest, pauseMs?: number): Promise<ErasureAnswer> {
  const otherwise = unlessLonger('an hour', 'docs/runbook.md#an-erasure-waits');
  showWork('Closes the account, unless orders are open or owe money', otherwise);
  const begun = closeAccount.executeWithOptions(
    { summary: 'Close the account, unless orders are open or owe money' },
    [request],
  );
  setHandler(beginErasureUpdate, () => begun);
  const answer = await begun;
  if (answer.refusal === null) {
    if (pauseMs === undefined) {
      showWork('Waits for orders that were on their way', otherwise);
      await sleep(request.lateMs);
    }
    showWork('Erases what Temporal and MongoDB have', otherwise);
    if (!(await erase(request))) {
      const pause = pauseMs ?? FIRST_PAUSE_MS;
      const until = new Date(Date.now() + pause).toISOString();
      showWork(`Waits for orders that are not closed yet, and looks again at ${until}`, otherwise);
      await sleep(pause);
      await condition(allHandlersFinished);
      // replay-tested: test/workflows/replay.test.ts
      await onItsVersion<typeof erasureWorkflow>()(request, Math.min(2 * pause, LONGEST_PAUSE_MS));
    }
  }
  await condition(allHandlersFinished);
  return answer;
}

// It continues as new after at most an hour of waiting, and moves then.
setWorkflowOptions({ versioningBehavior: PINNED }, erasureWorkflow);

/** Erases what can be. Returns whether that was all: once no order is under way, none changes any more while it is erased. */
async function erase(request: ErasureRequest): Promise<boolean> {
  const inTemporal = await eraseHistories.executeWithOptions(
    { summary: 'Destroy the key of what Temporal has of the orders' },
    [request],
  );
  const inMongoDb = await eraseData.executeWithOptions(
    { summary: 'Erase names, addresses and notes in MongoDB' },
    [request],
  );
  return inTemporal.waitsFor + inMongoDb.waitsFor === 0;
}
