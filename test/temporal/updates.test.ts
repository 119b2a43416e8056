import {
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { status } from '@grpc/grpc-js';
import type { TemporalClient } from '../../src/temporal/client';
import { untilAnswered } from '../../src/temporal/updates';
import { HANG_MS } from '../support/eventually';

const grpc = (code: status) => Object.assign(new Error('grpc'), { code, details: 'd', metadata: {} });
const BUSY = new ServiceError('x', { cause: grpc(status.RESOURCE_EXHAUSTED) });
const AWAY = new ServiceError('x', { cause: grpc(status.UNAVAILABLE) });
const ENDED = new WorkflowNotFoundError('x', 'w', undefined);
const TIMED_OUT = new WorkflowUpdateRPCTimeoutOrCancelledError('x');
const GAVE_UP = new WorkflowUpdateRPCTimeoutOrCancelledError('x', { cause: grpc(status.DEADLINE_EXCEEDED) });
const REJECTED = new WorkflowUpdateFailedError(
  'x',
  ApplicationFailure.nonRetryable('Why.', 'InvalidTransition'),
);

/** Sends an update that fails with one error after the other before it is answered. */
async function send(errors: Error[], { patienceMs = HANG_MS, isServerAlive = true } = {}) {
  const temporal = {
    client: {
      withDeadline: (_deadline: number, call: () => Promise<unknown>) => call(),
      workflowService: { getSystemInfo: () => Promise.reject(AWAY) },
    },
    lastAnswerAt: () => (isServerAlive ? Date.now() : 0),
  } as unknown as TemporalClient;
  const pending = errors.values();
  return untilAnswered(temporal, Date.now() + patienceMs, async () => {
    const { value } = pending.next();
    if (value) throw value;
    return 'answer';
  });
}

it.each([
  ['the workflow is busy', [BUSY, BUSY]],
  ['a server that is alive drops the update', [AWAY]],
  ['a busy server gives up before the deadline', [GAVE_UP]],
])('sends an update again while %s', async (_, errors) => {
  await expect(send(errors)).resolves.toBe('answer');
});

it('returns ended if the workflow has ended', async () => {
  await expect(send([ENDED])).resolves.toBe('ended');
});

it('returns late at the deadline', async () => {
  await expect(send([TIMED_OUT])).resolves.toBe('late');
  await expect(send([BUSY, BUSY, BUSY, BUSY], { patienceMs: 200 })).resolves.toBe('late');
});

it('throws the failure of a rejected update', async () => {
  await expect(send([BUSY, REJECTED])).rejects.toBe(REJECTED);
});

it('throws the error of a server that is not alive', async () => {
  await expect(send([AWAY], { isServerAlive: false })).rejects.toBe(AWAY);
});
