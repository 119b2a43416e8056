import { nameOf } from '../../../src/domain/command';
import type { AnsweredCommand, ErrorRecord, Order } from '../../../src/domain/order';
import { AppError } from '../../../src/errors/app-error';
import { commandBy, type Caller } from '../../../src/orders/order-request';
import { createOrderService, type OrderServiceDeps } from '../../../src/orders/orders.service';
import { intendedAmendment, LATER, orderIn, owed } from '../../domain/fixtures';

const ID = `ord_${'0'.repeat(32)}`;
const caller: Caller = { principal: { id: 'usr_1', role: 'ADMIN' }, requestId: 'r', idempotencyKey: 'key' };
const CONFIRMED: Order = { ...orderIn({ status: 'confirmed', paymentStatus: 'authorized' }), id: ID };
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
const ARCHIVED: Order = { ...CANCELLED, archivedAt: LATER };
const OWING: Order = { ...CANCELLED, compensations: [owed()] };
const { step } = owed();
const PENDING: Order = { ...orderIn({ status: 'pending', paymentStatus: 'pending' }), id: ID };
const REJECTED: Order = { ...orderIn({ status: 'rejected', paymentStatus: 'declined' }), id: ID };
const event = { eventId: 'evt_1', type: 'refund.failed', orderId: ID, paymentKey: `${ID}-1` };

/** The order with its answer to the cancellation that these tests send, or to a delivery or an archiving. */
function remembering(
  order: Order,
  error: ErrorRecord | null = null,
  fields: Partial<AnsweredCommand> = {},
): Order {
  const sent = [
    commandBy(caller, order, 'can', { reason: null }),
    commandBy(caller, order, 'dlv', { fulfillmentId: 'ful_1' }),
    commandBy(caller, order, 'arc', {}),
  ];
  const commands = sent.map((command) => ({
    ...nameOf(command),
    at: LATER,
    version: 2,
    revision: 3,
    error,
    ...fields,
  }));
  return { ...order, commands };
}

type Answer = Order | 'late' | 'ended' | AppError;

/**
 * A service with what Temporal answers to a command, and the order as it is read, one time after the other.
 */
function serviceWith(answer: Answer, ...reads: (Order | null | AppError)[]) {
  const read = reads.values();
  const orders = {
    async findById() {
      const order = read.next().value ?? null;
      if (order instanceof AppError) throw order;
      return order;
    },
  };
  const answered = async () => {
    if (answer instanceof AppError) throw answer;
    return answer;
  };
  const workflows = { execute: answered, executeAlways: answered, find: async () => null };
  return createOrderService({ orders, workflows } as unknown as OrderServiceDeps);
}

type Service = ReturnType<typeof serviceWith>;

const problem = (code: string) => ({ code });
const unavailable = problem('service_unavailable');
const cancel = (service: Service, onRepeat?: () => void) =>
  service.cancel(ID, { ...caller, onRepeat }, { reason: null });
const deliver = (service: Service) => service.deliver(ID, caller, { fulfillmentId: 'ful_1' });
const archive = (service: Service) => service.archive(ID, caller);
const retry = (service: Service) => service.retryCompensation(ID, caller, { step });
const amend = (service: Service) => service.amend(ID, caller, { note: 'x' });

describe('a late command', () => {
  it.each([
    ['delivery', deliver, [SHIPPED, remembering(DELIVERED)], remembering(DELIVERED)],
    ['cancellation', cancel, [CONFIRMED, remembering(CANCELLED)], remembering(CANCELLED)],
    ['archiving', archive, [CANCELLED, remembering(ARCHIVED)], undefined],
  ] as [string, (service: Service) => Promise<unknown>, Order[], Order | undefined][])(
    'succeeds if the order shows that it was carried out: %s',
    async (_, send, reads, result) => {
      const done = send(serviceWith('late', ...reads));
      await expect(done).resolves.toEqual(result && { ...result, commands: expect.any(Array) });
    },
  );

  it.each([
    ['delivery', deliver, [SHIPPED, SHIPPED]],
    ['cancellation', cancel, [CONFIRMED, CONFIRMED]],
    ['archiving', archive, [CANCELLED, CANCELLED]],
    ['retry of a compensation', retry, [OWING]],
    [
      'resolution of a compensation',
      (service: Service) => service.resolveCompensation(ID, caller, { step, note: 'x' }),
      [OWING],
    ],
    ['look at its payment', (service: Service) => service.lookAgain(event), [CONFIRMED]],
  ] as [string, (service: Service) => Promise<unknown>, Order[]][])(
    'fails with 503 if the order does not show it: %s',
    async (_, send, reads) => {
      await expect(send(serviceWith('late', ...reads))).rejects.toMatchObject(unavailable);
    },
  );
});

describe('a command whose workflow has ended', () => {
  it('fails with the reason that the stored order gives', async () => {
    const cancelling = cancel(serviceWith('ended', CONFIRMED, CANCELLED));
    await expect(cancelling).rejects.toMatchObject(problem('invalid_transition'));
  });

  it.each([
    ['the stored order would allow it', CONFIRMED],
    ['there is no order any more', null],
  ])('fails with 503 if %s', async (_, now) => {
    await expect(cancel(serviceWith('ended', CONFIRMED, now))).rejects.toMatchObject(unavailable);
  });
});

describe('a retry of a compensation', () => {
  it('returns the order if the compensation completed just before', async () => {
    const done = new AppError('not_found', 'Done.');
    await expect(retry(serviceWith(done, OWING, CANCELLED))).resolves.toEqual(CANCELLED);
  });

  it('fails with any other problem', async () => {
    const busy = new AppError('service_unavailable', 'Busy.');
    await expect(retry(serviceWith(busy, OWING))).rejects.toBe(busy);
  });
});

describe('an event of the payment service', () => {
  it.each([[null], [REJECTED]])('says nothing about an order that has no payment', async (order) => {
    expect(await serviceWith('late', order).lookAgain(event)).toBe('done');
  });

  it.each([[PENDING], [{ ...CONFIRMED, intention: intendedAmendment() }]])(
    'has to be sent again while the order is being placed or changed',
    async (order) => {
      expect(await serviceWith('late', order).lookAgain(event)).toBe('busy');
    },
  );
});

it('leaves an archived order as it is without sending the command', async () => {
  await expect(
    serviceWith('late', ARCHIVED).archive(ID, { ...caller, idempotencyKey: undefined }),
  ).resolves.toBeUndefined();
});

it('fails an amendment with any problem that is not a business error', async () => {
  const busy = new AppError('service_unavailable', 'Busy.');
  await expect(amend(serviceWith(busy, CONFIRMED))).rejects.toMatchObject(unavailable);
});

describe('a command that the order remembers', () => {
  const refused: ErrorRecord = { type: 'InvalidTransition', message: 'Nothing is left.' };
  const send = (order: Order, onRepeat?: () => void) => cancel(serviceWith('late', order), onRepeat);

  it('is turned down as before, without being sent, and says so', async () => {
    const onRepeat = jest.fn();
    await expect(send(remembering(CONFIRMED, refused), onRepeat)).rejects.toMatchObject({
      ...problem('invalid_transition'),
      detail: 'Nothing is left.',
      headers: { ETag: '"2"' },
      orderId: ID,
    });
    expect(onRepeat).toHaveBeenCalledTimes(1);
  });

  it('returns the order as it is now, without being sent, if it was carried out', async () => {
    const onRepeat = jest.fn();
    const now = remembering(CANCELLED);
    await expect(send(now, onRepeat)).resolves.toBe(now);
    expect(onRepeat).toHaveBeenCalledTimes(1);
  });

  it('fails if it has another content', async () => {
    const other = remembering(CONFIRMED, null, { fingerprint: 'another' });
    await expect(send(other)).rejects.toMatchObject(problem('idempotency_key_reused'));
  });

  it.each(['Interrupted', 'PaymentUnanswered'])('is sent again after the failure %s', async (type) => {
    const before = remembering(CONFIRMED, { type, message: 'Nothing was changed.' });
    await expect(cancel(serviceWith(CANCELLED, before, CANCELLED))).resolves.toBe(CANCELLED);
  });
});

describe('a command that was carried out', () => {
  const gone = new AppError('service_unavailable', 'No database.');

  it.each([
    ['the database goes away', gone],
    ['the order is gone', null],
    ['an earlier version is read', CONFIRMED],
  ])('fails with 503 and says so if %s', async (_, read) => {
    await expect(cancel(serviceWith(CANCELLED, CONFIRMED, read))).rejects.toMatchObject({
      ...unavailable,
      detail: expect.stringContaining('The command was carried out') as string,
      orderId: ID,
    });
  });
});
