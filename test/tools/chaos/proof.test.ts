import { areOfLateTasks, type Finding } from '../../../tools/chaos/audit';
import { notLive } from '../../../tools/chaos/judge';
import type { CallRecord, Op } from '../../../tools/chaos/log';
import { barOfStocking, barsOfCalls, notProven } from '../../../tools/chaos/proof';

const call = (op: Op, fields: Partial<CallRecord> = {}): CallRecord => ({
  id: 'call-1',
  client: 'customer-1',
  op,
  subject: null,
  key: 'key-1',
  args: {},
  at: { invoked: 0, returned: 1 },
  process: 'api-1',
  outcome: 'ok',
  status: 200,
  attempts: [],
  ...fields,
});
const many = (count: number, op: Op, fields: Partial<CallRecord> = {}): CallRecord[] =>
  Array.from({ length: count }, () => call(op, fields));

const missing = (log: readonly CallRecord[], minutes = 1): string[] =>
  notProven(barsOfCalls(log, minutes)).map(({ subject, found }) => `${subject}: ${found}`);

describe('what a run has to meet', () => {
  const enough = [
    ...many(20, 'order.place'),
    ...many(30, 'order.read'),
    ...many(3, 'order.cancel'),
    ...many(3, 'order.fulfill'),
  ];

  it('is that clients succeed, in each minute of it', () => {
    expect(missing([])).toEqual(['order.place that succeed: 0', 'order.read that succeed: 0']);
    expect(missing(enough)).toEqual([]);
    expect(missing([], 2)).toHaveLength(4);
    expect(missing(enough, 60)).toHaveLength(4);
  });

  it('is that whatever is tried often succeeds at least once', () => {
    const refused = { outcome: 'fail', status: 403 } as const;
    expect(missing([...enough, ...many(39, 'order.refund', refused)])).toEqual([]);
    const tried = [...enough, ...many(40, 'order.refund', refused)];
    expect(missing(tried)).toEqual(['order.refund that succeed: 0']);
    expect(missing([...tried, call('order.refund')])).toEqual([]);
  });

  it('is that there is something to sell', () => {
    const stocked = many(4, 'stock.adjust', { client: 'owner' });
    expect(notProven([barOfStocking(stocked, 4)])).toEqual([]);
    expect(notProven([barOfStocking(stocked.slice(1), 4)])).toHaveLength(1);
    const refused = { client: 'owner', outcome: 'unknown' } as const;
    expect(notProven([barOfStocking(many(4, 'stock.adjust', refused), 4)])).toHaveLength(1);
  });
});

it('finds calls that have no outcome though all faults have ended, and processes that are late', () => {
  const settlement = { seconds: 1, unsettled: [], limitS: 120 };
  const evidence = { settlement, badAnswers: [] };
  const unknown = { outcome: 'unknown', status: 503, at: { invoked: 0, returned: null } } as const;
  const log = [call('order.place'), call('order.cancel', { ...unknown, id: 'call-2' })];
  expect(notLive({ ...evidence, log })).toMatchObject([{ kind: 'liveness', subject: 'call-2' }]);
  const ordered = call('cart.checkout', { outcome: 'unknown', status: 409, code: 'cart_ordered' });
  expect(notLive({ ...evidence, log: [ordered], readyS: 119 })).toEqual([]);
  expect(notLive({ ...evidence, log: [], readyS: 121 })).toMatchObject([{ subject: 'the processes' }]);
});

it('looks for longer only at what is about orders whose workflows are late', () => {
  const finding = (kind: Finding['kind'], subject: string): Finding => ({
    kind,
    subject,
    expected: null,
    found: null,
  });
  const late = finding('workflow_task_late', 'order-ord_1');
  expect(areOfLateTasks([])).toBe(false);
  expect(areOfLateTasks([late, finding('order_unsettled', 'ord_1')])).toBe(true);
  expect(areOfLateTasks([late, finding('order_unsettled', 'ord_2')])).toBe(false);
  expect(areOfLateTasks([finding('order_unsettled', 'ord_1')])).toBe(false);
});
