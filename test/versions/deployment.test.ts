import { status } from '@grpc/grpc-js';
import type { Client } from '@temporalio/client';
import type { WorkerConfig } from '../../src/config';
import { createDeployment } from '../../src/versions/deployment';

const CONFIG = { temporal: { taskQueue: 'orders' }, versions: {} } as WorkerConfig;

/** Returns what Temporal says when it refuses something. */
const refusal = () =>
  Object.assign(new Error('9 FAILED_PRECONDITION'), {
    code: status.FAILED_PRECONDITION,
    details: 'refused',
    metadata: {},
  });

/** A deployment of which no change is accepted, and whose current version is, each time it is asked for, the next of these. */
function refusing(...current: (string | undefined)[]) {
  const workflowService = {
    describeWorkerDeployment: async () => {
      const buildId = current.shift();
      return {
        conflictToken: new Uint8Array(),
        workerDeploymentInfo: { routingConfig: buildId ? { currentDeploymentVersion: { buildId } } : {} },
      };
    },
    setWorkerDeploymentCurrentVersion: () => Promise.reject(refusal()),
  };
  const client = {
    workflowService,
    options: { namespace: 'default', identity: 'test' },
  } as unknown as Client;
  return createDeployment(client, CONFIG);
}

it('the first version need not be current if another one became so meanwhile', async () => {
  expect(await refusing(undefined, 'other').setFirst('own')).toBe(false);
});

it('tells when Temporal refuses the first version for another reason, since none would get any work', async () => {
  await expect(refusing(undefined, undefined).setFirst('own')).rejects.toThrow('FAILED_PRECONDITION');
});
