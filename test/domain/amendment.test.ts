import {
  amend,
  amendedOrder,
  amendmentOf,
  paymentFor,
  requireAmendable,
  requireExpectedTotal,
} from '../../src/domain/amendment';
import type { Amendment, OrderPayment } from '../../src/domain/order';
import {
  amending,
  failing,
  fulfillment,
  itemOf,
  LATER,
  orderIn,
  owed,
  payment,
  priced,
  pricingOf,
} from './fixtures';

const pricing = pricingOf(priced('ps_b', 5));
const address = { name: 'A', line1: '1 Road', city: 'X', postalCode: '1', country: 'DE' };
const moved = { ...address, line1: '2 Road' };
const removed = ({ postalCode: _, ...rest }: typeof address) => rest;

describe('requireAmendable', () => {
  it.each([
    [{ status: 'pending' }, /is pending: only a confirmed one can be amended/],
    [{ status: 'completed' }, /is completed: only a confirmed one/],
    [{ status: 'cancelled', fulfillmentStatus: 'cancelled' }, /is cancelled: only a confirmed one/],
    [
      { fulfillmentStatus: 'partially_fulfilled', paymentStatus: 'captured' },
      /Fulfilling the order has begun/,
    ],
    [{ paymentStatus: 'action_required' }, /confirm it at the bank\. It can be amended when that is done/],
    [{ paymentStatus: 'captured', captured: 1 }, /Fulfilling the order has begun/],
  ] as const)('rejects an order that is %j', (state, message) => {
    expect(() => requireAmendable(orderIn(state), amending())).toThrow(failing('InvalidTransition', message));
  });

  it('rejects an order of which all that was sent came back', () => {
    const undone = { at: LATER, by: 'usr_9', reason: 'Lost', restock: true };
    const order = orderIn({ fulfillments: [fulfillment({ undone })] });
    const error = failing('InvalidTransition', /Fulfilling the order has begun/);
    expect(() => requireAmendable(order, amending())).toThrow(error);
  });

  it('rejects a part of an address where there is none', () => {
    const part = amending({ shippingAddress: { postalCode: '1' } });
    expect(() => requireAmendable(orderIn(), part)).toThrow(
      failing(
        'InvalidTransition',
        /no shipping address .* send all of it, with name, line1, city and country/,
      ),
    );
    expect(() => requireAmendable(orderIn({ shippingAddress: address }), part)).not.toThrow();
    expect(() => requireAmendable(orderIn(), amending({ shippingAddress: removed(address) }))).not.toThrow();
  });
});

describe('amendmentOf', () => {
  const order = orderIn({ note: 'Old', shippingAddress: address });

  it.each([
    ['a new note', { note: 'Ring twice' }, { note: 'Ring twice', shippingAddress: address }],
    ['the note removed', { note: null }, { note: null, shippingAddress: address }],
    ['a new address', { shippingAddress: moved }, { note: 'Old', shippingAddress: moved }],
    ['the address removed', { shippingAddress: null }, { note: 'Old', shippingAddress: null }],
    ['no metadata', { metadata: null }, { note: 'Old', shippingAddress: address, metadata: {} }],
    ['nothing', {}, { note: 'Old', shippingAddress: address }],
    ['a reference', { externalRef: 'PO-1' }, { note: 'Old', shippingAddress: address, externalRef: 'PO-1' }],
    ['no reference', { externalRef: null }, { note: 'Old', shippingAddress: address, externalRef: null }],
  ])('keeps what the command leaves out: %s', (_, change, expected) => {
    expect(amendmentOf(order, amending(change), null)).toEqual({ pricing: null, ...expected });
  });

  it.each([
    ['a part', { postalCode: '2' }, { ...address, postalCode: '2' }],
    ['a part that was absent', { line2: 'Flat 3' }, { ...address, line2: 'Flat 3' }],
    [
      'a part removed',
      { postalCode: null, region: null },
      { name: 'A', line1: '1 Road', city: 'X', country: 'DE' },
    ],
    ['to one with a region', { ...removed(moved), region: 'Kent' }, { ...removed(moved), region: 'Kent' }],
    ['all that is required, and so another address', { ...removed(moved), region: null }, removed(moved)],
  ])('changes of the stored address %s', (_, shippingAddress, expected) => {
    expect(amendmentOf(order, amending({ shippingAddress }), null).shippingAddress).toEqual(expected);
  });

  it('has the prices of the new lines', () => {
    expect(amendmentOf(order, amending(), pricing)).toMatchObject({ pricing });
  });
});

describe('requireExpectedTotal', () => {
  const require = (expectedTotal?: number) => () =>
    requireExpectedTotal({ expectedTotal }, { total: 1_000, currency: 'EUR' });

  it('accepts the total that the client expects, and any if it expects none', () => {
    expect(require(1_000)).not.toThrow();
    expect(require()).not.toThrow();
  });

  it('rejects another total', () => {
    expect(require(999)).toThrow(failing('PriceChanged', /costs 10\.00 EUR now, not 9\.99 EUR/));
  });
});

describe('paymentFor', () => {
  it('needs a new payment for the total of an order that was paid again for less, since units were cancelled', () => {
    const before = orderIn({ payment: payment(2_000, '2') });
    const wanted = (total: number) => amendmentOf(before, amending(), { ...pricing, total });
    expect(paymentFor(before, wanted(3_000))).toMatchObject({ amount: 3_000 });
    expect(paymentFor(before, wanted(2_000))).toBeNull();
  });

  const order = orderIn({ revision: 7 });
  const amendment = (prices: Amendment['pricing']) => ({
    pricing: prices,
    note: null,
    shippingAddress: null,
  });

  it.each([
    ['no new lines', null],
    ['the same total', pricingOf(priced('ps_b', 3))],
  ])('returns null for %s', (_, prices) => {
    expect(paymentFor(order, amendment(prices))).toBeNull();
  });

  it.each([
    ['a higher total', pricingOf(priced('ps_b', 4)), 4_000, 'EUR'],
    ['a lower total', pricingOf(priced('ps_b', 2)), 2_000, 'EUR'],
    ['another currency', { ...pricingOf(priced('ps_b', 3)), currency: 'USD' }, 3_000, 'USD'],
  ])('returns a payment of the whole new total for %s', (_, prices, amount, currency) => {
    expect(paymentFor(order, amendment(prices))).toEqual({
      ...payment(amount, '8'),
      reference: null,
      currency,
    });
  });
});

describe('amend', () => {
  const order = orderIn({ revision: 7 });

  it('intends the amendment if a payment has to be authorised first', () => {
    const changes = { pricing, note: null, shippingAddress: null };
    const intention = {
      kind: 'amendment',
      command: { id: 'cmd_1', fingerprint: null, attemptId: null },
      since: LATER,
      amendment: changes,
      payment: { ...payment(5_000, '8'), reference: null },
      by: 'usr_9',
    };
    expect(amend(order, amending(), pricing, LATER)).toEqual({ ...order, intention });
  });

  it('rejects another payment while the order owes 20 earlier ones, but not a new note', () => {
    const compensations = Array.from({ length: 20 }, (_, n) => owed({ step: `voidPayment-${n}` }));
    const amended = (debts: typeof compensations, prices: typeof pricing | null) =>
      amend(orderIn({ compensations: debts }), amending({ note: 'New' }), prices, LATER);
    const error = failing('InvalidTransition', /20 payments of this order are not settled yet: amend it/);
    expect(() => amended(compensations, pricing)).toThrow(error);
    expect(amended(compensations, null)).toMatchObject({ note: 'New' });
    const [first, ...others] = compensations;
    expect(amended([{ ...first!, state: 'resolved' }, ...others], pricing).intention).not.toBeNull();
  });

  it.each([
    ['the lines stay', null],
    ['the total stays', pricingOf(priced('ps_b', 3))],
    ['the new total is 0', { ...pricingOf(), items: [priced('ps_b', 1)] }],
  ])('amends the order at once if %s', (_, prices) => {
    const amended = amend(order, amending({ note: 'New' }), prices, LATER);
    expect(amended).toMatchObject({ note: 'New', intention: null, version: 3, updatedAt: LATER });
    expect(amended.total).toBe(prices?.total ?? order.total);
  });

  it('rejects an order that cannot be amended', () => {
    const late = () => amend(orderIn({ status: 'completed' }), amending(), pricing, LATER);
    expect(late).toThrow(failing('InvalidTransition', /is completed/));
  });
});

describe('amendedOrder', () => {
  const order = orderIn();
  const by = { at: LATER, by: 'usr_9' };
  const amended = (changes: Partial<Amendment>, next: OrderPayment | null = null, from = order) =>
    amendedOrder(from, { pricing: null, note: null, shippingAddress: null, ...changes }, next, by);

  it('has the new lines and prices, nothing of them fulfilled, and the earlier payment to void', () => {
    expect(amended({ pricing }, payment(5_000, '2'))).toEqual({
      ...order,
      subtotal: 5_000,
      total: 5_000,
      tax: 0,
      items: [itemOf(priced('ps_b', 5))],
      payment: payment(5_000, '2'),
      compensations: [owed({ since: LATER })],
      version: 3,
      updatedAt: LATER,
    });
  });

  it('keeps earlier compensations', () => {
    const before = owed({ step: 'voidPayment-0', state: 'resolved' });
    const next = amended({ pricing }, payment(5_000, '2'), orderIn({ compensations: [before] }));
    expect(next.compensations).toEqual([before, owed({ since: LATER })]);
  });

  it('keeps the payment, with nothing to void, if the amendment needs none', () => {
    const next = amended({ pricing: pricingOf(priced('ps_b', 3)) });
    expect(next).toMatchObject({ payment: payment(3_000), compensations: [] });
  });

  it('has nothing to void if the earlier payment was 0', () => {
    expect(amended({ pricing }, payment(5_000, '2'), orderIn({ payment: payment(0) })).compensations).toEqual(
      [],
    );
  });

  it('changes the note and the address only, in the next version, if the lines stay', () => {
    const changes = { note: 'Ring twice', shippingAddress: address };
    expect(amended(changes)).toEqual({ ...order, ...changes, version: 3, updatedAt: LATER });
  });

  it('holds stock if its new lines need it', () => {
    const services = amended({ pricing: pricingOf(priced('ps_s', 3, 'service')) });
    expect(services.reservation).toBe('none');
    expect(amended({ pricing: pricingOf(priced('ps_a', 3)) }, null, services).reservation).toBe('held');
  });
});
