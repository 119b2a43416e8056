import type { Order } from '../../../src/domain/order';
import { AppError } from '../../../src/errors/app-error';
import { createOrderCommands, type OrderCommandsDeps } from '../../../src/orders/commands/commands';
import { LATER, orderIn, owed } from '../../domain/fixtures';

const caller = { principal: { id: 'usr_1', role: 'ADMIN' }, requestId: 'r' } as const;
const CONFIRMED = orderIn({ status: 'confirmed', paymentStatus: 'authorized' });
const shipment = (deliveredAt: string | null) => ({
  id: 'ful_1',
  items: [],
  carrier: null,
  trackingNumber: null,
  fingerprint: 'f',
  attemptId: 'a',
  by: 'usr_1',
  createdAt: LATER,
  deliveredAt,
});
const SHIPPED: Order = { ...CONFIRMED, fulfillmentStatus: 'fulfilled', fulfillments: [shipment(null)] };
const DELIVERED: Order = { ...SHIPPED, fulfillments: [shipment(LATER)] };
const CANCELLED: Order = {
  ...CONFIRMED,
  version: CONFIRMED.version + 1,
  status: 'cancelled',
  paymentStatus: 'voided',
  fulfillmentStatus: 'cancelled',
  statusHistory: [
    { at: LATER, axis: 'status', from: 'confirmed', to: 'cancelled', by: 'usr_1', reason: null },
  ],
};
const OWING: Order = { ...CANCELLED, compensations: [owed()] };

type Answer = Order | 'late' | 'ended' | AppError;

/** What Temporal answers, and the order as it is read, one time after the other. */
function commands(answer: Answer, ...reads: (Order | null | AppError)[]) {
  const read = reads.values();
  const next = async () => {
    const order = read.next().value ?? null;
    if (order instanceof AppError) throw order;
    return order;
  };
  const answered = async () => {
    if (answer instanceof AppError) throw answer;
    return answer;
  };
  const workflows = { execute: answered, executeAlways: answered };
  return createOrderCommands({ workflows, get: next, find: next } as unknown as OrderCommandsDeps);
}

const problem = (code: string) => ({ code });
const CONTENT = { fulfillmentId: 'ful_1' };
const { step } = owed();

describe('an answer that comes too late', () => {
  it.each([
    ['a delivery', () => commands('late', SHIPPED, DELIVERED).deliver('ord_1', caller, CONTENT), DELIVERED],
    [
      'a cancellation',
      () => commands('late', CONFIRMED, CANCELLED).cancel('ord_1', caller, { reason: null }),
      CANCELLED,
    ],
    [
      'an archiving',
      () => commands('late', CANCELLED, { ...CANCELLED, archivedAt: LATER }).archive('ord_1', caller),
      undefined,
    ],
  ])('is read from the order, when it is %s that was done', async (_what, send, answer) => {
    await expect(send()).resolves.toEqual(answer);
  });

  it.each([
    ['a delivery', () => commands('late', SHIPPED, SHIPPED).deliver('ord_1', caller, CONTENT)],
    [
      'a cancellation',
      () => commands('late', CONFIRMED, CONFIRMED).cancel('ord_1', caller, { reason: null }),
    ],
    ['an archiving', () => commands('late', CANCELLED, CANCELLED).archive('ord_1', caller)],
    ['a retry', () => commands('late', OWING).retryCompensation('ord_1', caller, { step })],
    ['a settlement', () => commands('late', OWING).resolveCompensation('ord_1', caller, { step, note: 'x' })],
    ['an end of its payment', () => commands('late', CONFIRMED).authorizationEnded('ord_1', 'ord_1-1')],
  ])('promises nothing, when it is %s that may still be done', async (_what, send) => {
    await expect(send()).rejects.toMatchObject(problem('service_unavailable'));
  });

  it('says why not, when somebody else was faster', async () => {
    const others = { ...CANCELLED, statusHistory: [] };
    const cancelling = commands('late', CONFIRMED, others).cancel('ord_1', caller, { reason: null });
    await expect(cancelling).rejects.toMatchObject(problem('invalid_transition'));
  });
});

describe('a workflow that has ended', () => {
  const cancel = (...reads: (Order | null)[]) =>
    commands('ended', ...reads).cancel('ord_1', caller, { reason: null });

  it('leaves the answer to the order as it is then', async () => {
    await expect(cancel(CONFIRMED, CANCELLED)).rejects.toMatchObject(problem('invalid_transition'));
  });

  it.each([[CONFIRMED], [null]])('promises nothing when nobody can do it', async (now) => {
    await expect(cancel(CONFIRMED, now)).rejects.toMatchObject(problem('service_unavailable'));
  });
});

describe('a retry', () => {
  const retry = (answer: Answer, ...reads: Order[]) =>
    commands(answer, ...reads).retryCompensation('ord_1', caller, { step });

  it('answers with the order when it was done just before', async () => {
    await expect(retry(new AppError('not_found', 'Done.'), OWING, CANCELLED)).resolves.toEqual(CANCELLED);
  });

  it('passes on every other refusal', async () => {
    const refusal = new AppError('service_unavailable', 'Busy.');
    await expect(retry(refusal, OWING)).rejects.toBe(refusal);
  });
});

describe('an authorisation that has ended', () => {
  it.each([[null], [CANCELLED], [SHIPPED]])(
    'changes nothing of an order that cannot be cancelled',
    async (order) => {
      await expect(commands('late', order).authorizationEnded('ord_1', 'ord_1-1')).resolves.toBeUndefined();
    },
  );

  it('leaves alone an order that stands on another payment by now', async () => {
    const refusal = new AppError('invalid_transition', 'Another payment.');
    await expect(commands(refusal, CONFIRMED).authorizationEnded('ord_1', 'x')).resolves.toBeUndefined();
  });
});

it('what is archived already stays so, without asking anybody', async () => {
  await expect(
    commands('late', { ...CANCELLED, archivedAt: LATER }).archive('ord_1', caller),
  ).resolves.toBeUndefined();
});

it('what is no refusal of the business goes through as it is', async () => {
  const { amend } = commands(new AppError('service_unavailable', 'Busy.'), CONFIRMED);
  await expect(amend('ord_1', caller, { ifMatch: null, note: 'x' })).rejects.toMatchObject(
    problem('service_unavailable'),
  );
});

describe('an amendment whose old payment is still to be given back', () => {
  const AMENDED: Order = { ...CONFIRMED, version: 5, compensations: [owed()] };
  const SETTLED: Order = { ...AMENDED, version: 6, compensations: [] };
  const gone = new AppError('service_unavailable', 'No database.');
  const content = { ifMatch: null, note: 'x' };

  it('answers with the version after that', async () => {
    await expect(
      commands(AMENDED, CONFIRMED, AMENDED, SETTLED).amend('ord_1', caller, content),
    ).resolves.toBe(SETTLED);
  });

  it('answers with the last that was read when the database goes away', async () => {
    const amended = commands(AMENDED, CONFIRMED, AMENDED, gone, SETTLED);
    await expect(amended.amend('ord_1', caller, content)).resolves.toBe(SETTLED);
    const unsettled = commands(AMENDED, CONFIRMED, AMENDED, null);
    await expect(unsettled.amend('ord_1', caller, content)).resolves.toBe(AMENDED);
  });

  it('is refused as it was when it cannot be read any more, else with the version of now', async () => {
    const refusal = new AppError('precondition_failed', 'Changed.', { headers: { ETag: '"4"' } });
    const amend = (...reads: (Order | null | AppError)[]) =>
      commands(refusal, CONFIRMED, ...reads).amend('ord_1', caller, content);
    await expect(amend(gone)).rejects.toBe(refusal);
    await expect(amend(AMENDED, SETTLED)).rejects.toMatchObject({
      code: 'precondition_failed',
      headers: { ETag: '"6"' },
    });
  });
});

describe('what is done', () => {
  const gone = new AppError('service_unavailable', 'No database.');

  it.each([[gone], [null], [CONFIRMED]])('is said to be done when it cannot be read: %p', async (read) => {
    const cancelling = commands(CANCELLED, CONFIRMED, read).cancel('ord_1', caller, { reason: null });
    await expect(cancelling).rejects.toMatchObject({
      ...problem('service_unavailable'),
      detail: expect.stringContaining('It is done') as string,
      orderId: 'ord_1',
    });
  });
});
