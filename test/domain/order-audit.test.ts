import { auditedOrigin, commandAudit, placementAudit } from '../../src/domain/order-audit';
import type { Order } from '../../src/domain/order';
import {
  answered,
  command,
  fulfillment,
  intendedRefund,
  itemOf,
  LATER,
  orderIn,
  owed,
  priced,
  refundOf,
  refused,
  requestFor,
} from './fixtures';

const staff = { by: 'usr_9', requestId: 'r', address: '192.0.2.1' };
const customer = { by: 'usr_1', requestId: 'r' };

/** Returns the order after a write that answers the command. */
const written = (fields: Partial<Order>, id = 'can_1', answer = {}): Order =>
  orderIn({ revision: 3, version: 3, commands: [answered(id, { revision: 3, ...answer })], ...fields });

const changesOf = (fields: Partial<Order>, before: Partial<Order> = {}) => {
  const { changes, personal } = commandAudit(orderIn(before), written({ ...before, ...fields }), {
    ...command,
    ...staff,
  })!;
  return { changes, personal };
};

describe('the origin of a command', () => {
  it('is audited of the staff, wherever they are', () => {
    expect(auditedOrigin({ customerId: 'usr_1' }, staff)).toEqual(staff);
    expect(auditedOrigin({ customerId: 'usr_1' }, { by: 'usr_9', requestId: 'r' })).toEqual({
      by: 'usr_9',
      requestId: 'r',
      address: null,
    });
  });

  it.each(['usr_1', 'system', 'provider'])('is not audited of %s, unless an address is known', (by) => {
    expect(auditedOrigin({ customerId: 'usr_1' }, { by, requestId: 'r' })).toBeNull();
    expect(auditedOrigin({ customerId: 'usr_1' }, { ...staff, by })).toEqual({ ...staff, by });
  });
});

describe('the audit of a write', () => {
  it.each([
    ['amd_1', 'order.amend'],
    ['arc_1', 'order.archive'],
    ['can_1', 'order.cancel'],
    ['chk_1', 'order.check_payment'],
    ['cor_1', 'order.correct_fulfillment'],
    ['dlv_1', 'order.deliver'],
    ['ful_1', 'order.fulfill'],
    ['pay_1', 'order.pay'],
    ['ref_1', 'order.refund'],
    ['set_1', 'order.resolve_compensation'],
    ['und_1', 'order.undo_fulfillment'],
    ['k1', 'order.change'],
  ])('of the command %s tells of %s', (id, action) => {
    const next = written({ note: 'New' }, id);
    expect(commandAudit(orderIn(), next, { ...command, ...staff })).toEqual({
      origin: staff,
      action,
      object: 'ord_1',
      subject: 'usr_1',
      changes: [],
      personal: [{ field: 'note', before: null, after: 'New' }],
    });
  });

  it.each<[string, Order, object | undefined]>([
    ['answers none', written({ note: 'New', commands: [] }), staff],
    ['answered it before', written({ note: 'New' }, 'can_1', { revision: 2 }), staff],
    ['turns it down', written({ note: 'New' }, 'can_1', { error: refused }), staff],
    ['changes nothing', written({}), staff],
    ['is one of its customer', written({ note: 'New' }), customer],
    ['is of no command', written({ note: 'New' }), undefined],
  ])('is none if the write %s', (_, next, by) => {
    expect(commandAudit(orderIn(), next, by && { ...command, ...by })).toBeNull();
  });

  it('has the origin that the command has left with its intention, and not that of the write', () => {
    const origin = { by: 'usr_8', requestId: 'earlier', address: null };
    const before = orderIn({ intention: { ...intendedRefund(100), origin } });
    const next = written({ refunded: 100 }, 'k1');
    expect(commandAudit(before, next)!.origin).toEqual(origin);
    expect(commandAudit(before, written({ refunded: 100 }), { ...command, ...staff })!.origin).toEqual(staff);
    expect(
      commandAudit(orderIn({ intention: intendedRefund(100) }), next, { ...command, ...staff }),
    ).toBeNull();
  });

  it.each<[keyof Order, unknown, unknown]>([
    ['status', 'confirmed', 'cancelled'],
    ['paymentStatus', 'authorized', 'voided'],
    ['fulfillmentStatus', 'unfulfilled', 'cancelled'],
    ['currency', 'EUR', 'USD'],
    ['subtotal', 3_000, 1],
    ['tax', 0, 1],
    ['total', 3_000, 1],
    ['cancelled', 0, 1],
    ['captured', 0, 1],
    ['refunded', 0, 1],
    ['archivedAt', null, LATER],
  ])('tells of its %s', (field, before, after) => {
    expect(changesOf({ [field]: after })).toEqual({ changes: [{ field, before, after }], personal: [] });
  });

  it.each<[keyof Order, unknown, unknown]>([
    ['note', null, 'New'],
    ['shippingAddress', null, { name: 'A', line1: '1', city: 'X', country: 'DE' }],
    ['externalRef', null, 'PO-1'],
    ['metadata', {}, { gift: 'yes' }],
  ])('tells of its %s apart, since it goes with the data of the customer', (field, before, after) => {
    expect(changesOf({ [field]: after })).toEqual({ changes: [], personal: [{ field, before, after }] });
  });

  it('tells of the units of a line, by its place', () => {
    const [first, second] = orderIn().items;
    const items = [first!, { ...second!, cancelledQuantity: 1, refundedQuantity: 1, fulfilledQuantity: 1 }];
    expect(changesOf({ items }).changes).toEqual([
      { field: 'items.1.fulfilledQuantity', before: 0, after: 1 },
      { field: 'items.1.cancelledQuantity', before: 0, after: 1 },
      { field: 'items.1.refundedQuantity', before: 0, after: 1 },
    ]);
  });

  it('tells of a line that is gone', () => {
    const gone = { fulfilledQuantity: 0, cancelledQuantity: 0, refundedQuantity: 0 };
    const line = { productServiceId: 'ps_a', sku: 'SKU-ps_a', unitPrice: 1_000, total: 1_000, quantity: 1 };
    const before = [itemOf(priced('ps_b')), itemOf(priced('ps_a'))];
    expect(changesOf({ items: [before[0]!] }, { items: before }).changes).toEqual([
      { field: 'items.1', before: { ...line, ...gone }, after: null },
    ]);
  });

  it('tells of a fulfillment without its carrier, which is told apart', () => {
    const made = fulfillment({ carrier: 'DHL' });
    expect(changesOf({ fulfillments: [made] })).toEqual({
      changes: [
        {
          field: 'fulfillments.k1',
          before: null,
          after: { items: made.items, deliveredAt: null, isUndone: false },
        },
      ],
      personal: [{ field: 'fulfillments.k1', before: null, after: { carrier: 'DHL', trackingNumber: null } }],
    });
    expect(changesOf({ fulfillments: [fulfillment()] }).personal).toEqual([]);
    expect(changesOf({ fulfillments: [fulfillment({ trackingNumber: 'T' })] }).personal).toHaveLength(1);
  });

  it('tells that a fulfillment was delivered or undone', () => {
    const undone = { at: LATER, by: 'usr_9', reason: 'Lost', restock: true };
    const after = [fulfillment({ deliveredAt: LATER, undone })];
    expect(changesOf({ fulfillments: after }, { fulfillments: [fulfillment()] }).changes).toEqual([
      { field: 'fulfillments.k1.deliveredAt', before: null, after: LATER },
      { field: 'fulfillments.k1.isUndone', before: false, after: true },
    ]);
  });

  it('tells of refunds and of what is owed, without what people have written', () => {
    const refunds = [refundOf(100, 'r1')];
    expect(changesOf({ refunds, compensations: [owed()] }).changes).toEqual([
      { field: 'refunds.r1', before: null, after: { amount: 100, status: 'succeeded', items: [] } },
      {
        field: 'compensations.voidPayment-1',
        before: null,
        after: { kind: 'void', amount: 3_000, state: 'owed' },
      },
    ]);
  });
});

describe('the audit of a new order', () => {
  it('tells of all of it if the staff have placed it', () => {
    const audit = placementAudit(requestFor(), orderIn({ note: 'Ring' }))!;
    expect(audit).toMatchObject({
      origin: { by: 'usr_2', requestId: 'r', address: null },
      action: 'order.place',
      object: 'ord_1',
    });
    expect(audit.changes).toContainEqual({ field: 'status', before: null, after: 'confirmed' });
    expect(audit.changes.map(({ field }) => field)).toEqual(expect.arrayContaining(['items.0', 'items.1']));
    expect(audit.personal).toContainEqual({ field: 'note', before: null, after: 'Ring' });
  });

  it('is none if its customer has placed it', () => {
    expect(placementAudit(requestFor({ placedBy: 'usr_1' }), orderIn())).toBeNull();
  });
});
