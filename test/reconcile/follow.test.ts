import { ServiceError } from '@temporalio/client';
import { status } from '@grpc/grpc-js';
import { beginReconciliation, type Reconciliation } from '../../src/domain/reconciliation';
import { reconcile } from '../../src/reconcile/follow';
import type { TemporalClient } from '../../src/temporal/client';

// Fake timers leave this module as it is.
jest.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

const AT = '2026-01-31T00:00:00.000Z';
const begun = beginReconciliation({}, AT);
const done: Reconciliation = { ...begun, phase: 'done' };
const never = () => new Promise<never>(() => undefined);
const away = () => {
  const cause = Object.assign(new Error('14 UNAVAILABLE'), {
    code: status.UNAVAILABLE,
    details: '',
    metadata: {},
  });
  return new ServiceError('no connection', { cause });
};

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/**
 * Follows a run.
 * @param results what each wait for its end comes to
 * @param queries what each question where it is comes to
 */
function follow(
  request: Parameters<typeof reconcile>[0],
  { results, queries = [] }: { results: (() => Promise<unknown>)[]; queries?: (() => Promise<unknown>)[] },
) {
  const next = (all: (() => Promise<unknown>)[]) => (all.length > 1 ? all.shift()! : (all[0] ?? never))();
  const handle = { result: () => next(results), query: () => next(queries) };
  const start = jest.fn(async (..._args: unknown[]) => handle);
  const client = { workflow: { start }, withDeadline: (_at: number, work: () => unknown) => work() };
  const stopping = new AbortController();
  const shown: Reconciliation[] = [];
  const ended = reconcile(request, {
    temporal: { client } as unknown as TemporalClient,
    queues: { taskQueue: 'orders', paymentsTaskQueue: 'payments' },
    onProgress: (run) => void shown.push(run),
    signal: stopping.signal,
  });
  ended.catch(() => undefined); // each test awaits it
  return { ended, shown, start, stopping };
}

it('starts a run, or follows the one that is going on, and returns what it has come to', async () => {
  const { ended, start, shown } = follow({ repair: true }, { results: [async () => done] });
  expect(await ended).toBe(done);
  expect(shown).toEqual([]);
  expect(start.mock.calls[0]![1]).toMatchObject({
    workflowId: 'orders-reconcile',
    taskQueue: 'orders',
    args: [{ repair: true, paymentsTaskQueue: 'payments' }],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
});

it('tells every second where the run is, unless no worker answers', async () => {
  const orders = { ...begun, phase: 'orders' as const };
  const queries = [async () => begun, () => Promise.reject(new Error('no worker')), async () => orders];
  const { ended, shown, stopping } = follow({}, { results: [never], queries });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(shown).toEqual([begun]);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(shown).toEqual([begun]);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(shown).toEqual([begun, orders]);
  stopping.abort();
  await jest.advanceTimersByTimeAsync(1_000);
  await expect(ended).rejects.toThrow('The run continues as workflow orders-reconcile: run this again');
});

it('waits again for the end of the run when Temporal was away', async () => {
  const { ended } = follow(
    {},
    { results: [() => Promise.reject(away()), async () => done], queries: [async () => begun] },
  );
  await jest.advanceTimersByTimeAsync(2_000);
  expect(await ended).toBe(done);
});

it('ends with the failure of the run', async () => {
  const { ended } = follow({}, { results: [() => Promise.reject(new Error('terminated'))] });
  await expect(ended).rejects.toThrow('terminated');
});

const { from, to } = begun;
it.each([
  ['that is asked for nothing', {}, begun],
  ['of the same period', { from, to }, begun],
  ['that repairs as well', { repair: true }, { ...begun, repair: true }],
])('follows a run that is going on by a request %s', async (_, request, run) => {
  const { shown, stopping } = follow(request, { results: [never], queries: [async () => run] });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(shown).toEqual([run]);
  stopping.abort();
  await jest.advanceTimersByTimeAsync(1_000);
});

it.each([
  ['begins at another time', { from: AT }, begun, ''],
  ['ends at another time', { to: from }, begun, ''],
  ['repairs nothing', { repair: true }, begun, ''],
  ['repairs what this one would leave', {}, { ...begun, repair: true }, ' with --repair'],
])('does not follow a run that %s', async (_, request, run, repairing) => {
  const { ended, shown } = follow(request, { results: [never], queries: [async () => run] });
  await jest.advanceTimersByTimeAsync(1_000);
  await expect(ended).rejects.toThrow(
    `Another run is going on, from ${from} to ${to}${repairing}: wait until it has ended, or terminate the ` +
      'workflow orders-reconcile.',
  );
  expect(shown).toEqual([]);
});
