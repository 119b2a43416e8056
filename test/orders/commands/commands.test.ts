import type { ErrorRecord, Order } from '../../../src/domain/order';
import { AppError } from '../../../src/errors/app-error';
import { refundCommand } from '../../../src/orders/order-request';
import { createOrderService, type OrderServiceDeps } from '../../../src/orders/orders.service';
import { LATER, orderIn, owed } from '../../domain/fixtures';

const ID = `ord_${'0'.repeat(32)}`;
const caller = { principal: { id: 'usr_1', role: 'ADMIN' }, requestId: 'r' } as const;
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
const cancel = (service: Service) => service.cancel(ID, caller, { reason: null });
const deliver = (service: Service) => service.deliver(ID, caller, { fulfillmentId: 'ful_1' });
const archive = (service: Service) => service.archive(ID, caller);
const retry = (service: Service) => service.retryCompensation(ID, caller, { step });
const amend = (service: Service) => service.amend(ID, caller, { ifMatch: null, note: 'x' });

describe('a late command', () => {
  it.each([
    ['delivery', deliver, [SHIPPED, DELIVERED], DELIVERED],
    ['cancellation', cancel, [CONFIRMED, CANCELLED], CANCELLED],
    ['archiving', archive, [CANCELLED, ARCHIVED], undefined],
  ] as [string, (service: Service) => Promise<unknown>, Order[], Order | undefined][])(
    'succeeds if the order shows that it was carried out: %s',
    async (_, send, reads, result) => {
      await expect(send(serviceWith('late', ...reads))).resolves.toEqual(result);
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
    [
      'cancellation because its payment ended',
      (service: Service) => service.authorizationEnded(ID, 'ord_1-1'),
      [CONFIRMED],
    ],
  ] as [string, (service: Service) => Promise<unknown>, Order[]][])(
    'fails with 503 if the order does not show it: %s',
    async (_, send, reads) => {
      await expect(send(serviceWith('late', ...reads))).rejects.toMatchObject(unavailable);
    },
  );

  it('fails with the reason if another user has cancelled the order meanwhile', async () => {
    const cancelling = cancel(serviceWith('late', CONFIRMED, { ...CANCELLED, statusHistory: [] }));
    await expect(cancelling).rejects.toMatchObject(problem('invalid_transition'));
  });
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

describe('the end of an authorisation', () => {
  it.each([[null], [CANCELLED], [SHIPPED]])('leaves an order that cannot be cancelled', async (order) => {
    await expect(serviceWith('late', order).authorizationEnded(ID, 'ord_1-1')).resolves.toBeUndefined();
  });

  it('leaves an order that now uses another payment', async () => {
    const other = new AppError('invalid_transition', 'Another payment.');
    await expect(serviceWith(other, CONFIRMED).authorizationEnded(ID, 'x')).resolves.toBeUndefined();
  });
});

it('leaves an archived order as it is without sending the command', async () => {
  await expect(archive(serviceWith('late', ARCHIVED))).resolves.toBeUndefined();
});

it('fails an amendment with any problem that is not a business error', async () => {
  const busy = new AppError('service_unavailable', 'Busy.');
  await expect(amend(serviceWith(busy, CONFIRMED))).rejects.toMatchObject(unavailable);
});

describe('an amendment whose replaced payment is not voided yet', () => {
  const AMENDED: Order = { ...CONFIRMED, version: 5, compensations: [owed()] };
  const SETTLED: Order = { ...AMENDED, version: 6, compensations: [] };
  const gone = new AppError('service_unavailable', 'No database.');

  it('returns the version in which it is', async () => {
    await expect(amend(serviceWith(AMENDED, CONFIRMED, AMENDED, SETTLED))).resolves.toBe(SETTLED);
  });

  it('returns the last version that was read if the database goes away', async () => {
    await expect(amend(serviceWith(AMENDED, CONFIRMED, AMENDED, gone, SETTLED))).resolves.toBe(SETTLED);
    await expect(amend(serviceWith(AMENDED, CONFIRMED, AMENDED, null))).resolves.toBe(AMENDED);
  });

  it('is rejected with the current version, unless the order cannot be read', async () => {
    const stale = new AppError('precondition_failed', 'Changed.', { headers: { ETag: '"4"' } });
    await expect(amend(serviceWith(stale, CONFIRMED, gone))).rejects.toBe(stale);
    await expect(amend(serviceWith(stale, CONFIRMED, AMENDED, SETTLED))).rejects.toMatchObject({
      code: 'precondition_failed',
      headers: { ETag: '"6"' },
    });
  });
});

describe('a command that the order remembers', () => {
  const content = { amount: null, reason: 'x' };
  const sent = refundCommand(SHIPPED, caller, content, 'key');
  const remembering = (error: ErrorRecord | null, fingerprint = sent.fingerprint): Order => ({
    ...SHIPPED,
    commands: [{ id: sent.id, fingerprint, at: LATER, version: 3, revision: 3, error }],
  });
  const refund = (order: Order) => serviceWith('late', order).refund(ID, caller, content, 'key');

  it('is turned down as before, without being sent', async () => {
    const refused = remembering({ type: 'InvalidTransition', message: 'Nothing is left.' });
    await expect(refund(refused)).rejects.toMatchObject({
      ...problem('invalid_transition'),
      detail: 'Nothing is left.',
      orderId: ID,
    });
  });

  it('fails if it has another content', async () => {
    await expect(refund(remembering(null, 'another'))).rejects.toMatchObject(
      problem('idempotency_key_reused'),
    );
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
