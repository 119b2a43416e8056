import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createErasureActivities, type ErasureActivityDeps } from '../../activities/erasure.activities';
import { createOrderEraser } from '../../activities/order-eraser';
import type { Order } from '../../src/domain/order';
import { intendedRefund, LATER, orderIn } from '../domain/fixtures';

const completed = orderIn({ status: 'completed', note: 'Ring twice' });

/** @param stored the order when it is to be written, and nobody else writes */
function eraserOf(stored: Order) {
  return createOrderEraser({
    eraseTraces: () => Promise.resolve(),
    writer: { change: (_id, judge) => Promise.resolve(judge(stored, LATER)) },
  });
}

describe('an order', () => {
  it('is erased once', async () => {
    expect(await eraserOf(completed)(completed)).toBe('erased');
    const erased = { ...completed, fingerprint: 'erased' };
    expect(await eraserOf(erased)(completed)).toBe('erased'); // by another run, meanwhile
    expect(await eraserOf(erased)(erased)).toBe('erased before');
  });

  it('waits if something stands in the way, also if that comes up while it is being erased', async () => {
    const refunding = { ...completed, intention: intendedRefund(100) };
    expect(await eraserOf(refunding)(completed)).toBe('waits');
    expect(await eraserOf(completed)(refunding)).toBe('waits');
  });
});

describe('histories', () => {
  const REQUEST = { userId: 'usr_1', by: 'usr_1', requestId: 'r', lateMs: 0 };
  const destroyed: string[] = [];
  const ended: string[] = [];
  const activities = createErasureActivities({
    guestsOf: () => Promise.resolve(['usr_guest']),
    accounts: {
      isClosed: () => Promise.resolve(true),
      close({ userId, by }) {
        ended.push(`close ${userId} by ${by}`);
        return Promise.resolve(null);
      },
    },
    retireDataKey: (customerId: string) => Promise.resolve(void ended.push(`retire ${customerId}`)),
    destroyDataKey: (customerId: string) => Promise.resolve(void destroyed.push(customerId)),
  } as Partial<ErasureActivityDeps> as ErasureActivityDeps);
  beforeEach(() => void (destroyed.length = ended.length = 0));

  /** @param code the gRPC code with which Temporal turns the deletion down */
  function eraseHistories(status: string, code?: number): Promise<{ waitsFor: number }> {
    const client = {
      options: { namespace: 'default' },
      withAbortSignal: <T>(_signal: AbortSignal, run: () => T) => run(),
      workflow: {
        async *list() {
          yield await Promise.resolve({ workflowId: 'order-ord_1', runId: 'r', status: { name: status } });
        },
      },
      workflowService: {
        deleteWorkflowExecution: () =>
          code === undefined
            ? Promise.resolve({})
            : Promise.reject(Object.assign(new Error(`code ${code}`), { code })),
      },
    } as unknown as Client;
    return new MockActivityEnvironment({}, { client }).run(activities.eraseHistories, REQUEST);
  }

  it('are deleted, and the key destroyed, once nothing runs that needs it', async () => {
    expect(await eraseHistories('RUNNING')).toEqual({ waitsFor: 2 });
    expect(destroyed).toEqual([]);
    expect(await eraseHistories('COMPLETED')).toEqual({ waitsFor: 0 });
    expect(destroyed).toEqual(['usr_1', 'usr_guest']);
  });

  it('are of guests as well, who order nothing more, also if they were taken over later', async () => {
    const begun = await new MockActivityEnvironment().run(activities.closeAccount, REQUEST);
    expect(begun).toEqual({ refusal: null });
    expect(ended).toEqual(['close usr_guest by usr_1', 'retire usr_guest', 'retire usr_1']);
    ended.length = 0;
    await eraseHistories('RUNNING');
    expect(ended).toEqual(['close usr_guest by usr_1', 'retire usr_guest']);
  });

  it('that are gone already are not missed, but those that may not be deleted are not passed over', async () => {
    const [notFound, permissionDenied] = [5, 7];
    expect(await eraseHistories('COMPLETED', notFound)).toEqual({ waitsFor: 0 });
    await expect(eraseHistories('COMPLETED', permissionDenied)).rejects.toThrow('code 7');
  });
});
