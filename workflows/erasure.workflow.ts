import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ErasureActivities } from '../activities/erasure.activities';
import type { ErasureAnswer, ErasureRequest } from '../src/domain/erasing';
import { beginErasureUpdate } from './contract';

const { closeAccount } = proxyActivities<ErasureActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});
const { eraseData, eraseHistories } = proxyActivities<ErasureActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '60s' },
});

/** Every process knows within a second that the account is closed. */
const UNTIL_CLOSED = '2s';
/** How long orders are waited for that were placed until then, at first and at most. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 3_600_000;

/**
 * Erases the personal data of a user: closes the account, unless something stands in the way, then erases what MongoDB and
 * Temporal have. Orders that were placed meanwhile are erased when they are closed.
 */
export async function erasureWorkflow(request: ErasureRequest): Promise<ErasureAnswer> {
  const begun = closeAccount.executeWithOptions(
    { summary: 'Close the account, unless orders are open or owe money' },
    [request],
  );
  setHandler(beginErasureUpdate, () => begun);
  const answer = await begun;
  if (answer.refusal === null) await erase(request);
  await condition(allHandlersFinished);
  return answer;
}

async function erase(request: ErasureRequest): Promise<void> {
  await sleep(UNTIL_CLOSED);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const inMongoDb = await eraseData.executeWithOptions(
      { summary: 'Erase names, addresses and notes in MongoDB' },
      [request],
    );
    const inTemporal = await eraseHistories.executeWithOptions(
      { summary: 'Destroy the key of what Temporal has of the orders' },
      [request],
    );
    if (inMongoDb.waitsFor + inTemporal.waitsFor === 0) return;
    await sleep(pause);
    // replay-tested: test/workflows/replay.test.ts
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof erasureWorkflow>(request);
  }
}
