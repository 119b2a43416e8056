import { status } from '@grpc/grpc-js';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { handsOn, isMade, type Done } from '../../../tools/chaos/hands';
import { trialsOf } from '../../../tools/chaos/scenarios/operator';

const HANDS = ['cancels its workflow', 'fails an activity'];

/** Has an operator do something to a workflow that responds as the function does. */
function handOn(name: string, respond: () => Promise<unknown>, isRunning = true): Promise<Done> {
  const handle = {
    cancel: respond,
    query: respond,
    executeUpdate: respond,
    describe: async () => ({ status: { name: isRunning ? 'RUNNING' : 'TERMINATED' } }),
  };
  const client = {
    options: { namespace: 'default' },
    workflow: { getHandle: () => handle },
    withDeadline: (_deadline: number, ask: () => Promise<unknown>) => ask(),
  };
  return handsOn(client as unknown as Client)[name]!('order-ord_1');
}

const lateError = Object.assign(new Error('too late'), {
  code: status.DEADLINE_EXCEEDED,
  details: '',
  metadata: {},
});

describe('the hands of operators', () => {
  it('come in an order and at moments that depend on the seed alone', () => {
    expect(trialsOf(7, HANDS)).toEqual(trialsOf(7, HANDS));
    expect(trialsOf(8, HANDS)).not.toEqual(trialsOf(7, HANDS));
    expect(new Set(trialsOf(7, HANDS).map(({ delayMs }) => delayMs)).size).toBeGreaterThan(1);
  });

  it('tell what was refused from what has failed', async () => {
    const gone = new WorkflowNotFoundError('gone', 'order-ord_1', undefined);
    const refused = await handOn('cancels its workflow', () => Promise.reject(gone));
    expect([refused, isMade(refused)]).toEqual([{ what: 'not possible' }, false]);
    const failed = await handOn('cancels its workflow', () => Promise.reject(new Error('broken')));
    expect(failed.failed).toBe('failed with Error: broken');
    expect(isMade(failed)).toBe(false);
    expect(isMade(await handOn('cancels its workflow', async () => undefined))).toBe(true);
  });

  it.each(['asks it what it does not answer', 'sends it updates that no API sends'])(
    'that get no answer from a running workflow have failed: an operator %s',
    async (name) => {
      const silent = (isRunning: boolean) => handOn(name, () => Promise.reject(lateError), isRunning);
      expect((await silent(true)).failed).toMatch(/^no answer to/);
      expect(await silent(false)).toMatchObject({ what: 'ended' });
      expect((await silent(false)).failed).toBeUndefined();
    },
  );
});
