import fc from 'fast-check';
import { amendedOrder, needsPayment, requireAmendable, reservationOf } from '../../src/domain/amendment';
import { amending, failing, itemOf, LATER, orderIn, owed, payment, priced, pricingOf } from './fixtures';

describe('whether an order can be amended', () => {
  it.each([
    ['whatever its version is', null],
    ['when the client has seen its version', [2]],
    ['when it is one of several that the client has seen', [1, 2]],
  ])('it can, %s', (_, ifMatch) => {
    expect(() => requireAmendable(orderIn(), amending({ ifMatch }))).not.toThrow();
  });

  it.each([[[1]], [[3]], [[]]])('it cannot when the client has seen the versions %j', (ifMatch) => {
    const error = expect.objectContaining({ name: 'StaleVersion', version: 2 }) as Error;
    expect(() => requireAmendable(orderIn(), amending({ ifMatch }))).toThrow(error);
    expect(() => requireAmendable(orderIn(), amending({ ifMatch }))).toThrow(/version 2: read it again/);
  });

  it.each([
    [{ status: 'pending' }, /is pending: only a confirmed one can be amended/],
    [{ status: 'completed' }, /is completed: only a confirmed one/],
    [{ status: 'cancelled', fulfillmentStatus: 'cancelled' }, /is cancelled: only a confirmed one/],
    [
      { fulfillmentStatus: 'partially_fulfilled', paymentStatus: 'captured' },
      /Fulfilling the order has begun/,
    ],
  ] as const)('it cannot when it is %j', (state, message) => {
    expect(() => requireAmendable(orderIn(state), amending())).toThrow(failing('InvalidTransition', message));
  });

  it('a stale version is said before anything else', () => {
    const command = amending({ ifMatch: [1] });
    expect(() => requireAmendable(orderIn({ status: 'completed' }), command)).toThrow(
      failing('StaleVersion', /./),
    );
  });
});

describe('another authorisation is needed', () => {
  const order = orderIn();

  it.each([
    ['not when the lines stay', null, false],
    ['not for the same total', pricingOf(priced('ps_b', 3)), false],
    ['for a higher total', pricingOf(priced('ps_b', 4)), true],
    ['for a lower total', pricingOf(priced('ps_b', 2)), true],
    ['for another currency', { ...pricingOf(priced('ps_b', 3)), currency: 'USD' }, true],
  ])('%s', (_, pricing, expected) => {
    expect(needsPayment(order, pricing)).toBe(expected);
  });
});

describe('an amended order', () => {
  const pricing = pricingOf(priced('ps_b', 5));
  const address = { name: 'A', line1: '1 Road', city: 'X', postalCode: '1', country: 'DE' };
  const stay = { pricing: null, payment: null };

  it('has the new lines and prices, nothing of them fulfilled, and owes the payment of before', () => {
    const order = orderIn();
    const next = amendedOrder(order, amending(), { pricing, payment: payment(5_000, 'v2') }, LATER);
    expect(next).toEqual({
      ...order,
      subtotal: 5_000,
      total: 5_000,
      tax: 0,
      items: [itemOf(priced('ps_b', 5))],
      payment: payment(5_000, 'v2'),
      compensations: [owed({ since: LATER })],
      version: 3,
      updatedAt: LATER,
    });
  });

  it('keeps what it owes already', () => {
    const before = owed({ step: 'voidPayment-0', state: 'resolved' });
    const order = orderIn({ compensations: [before] });
    const next = amendedOrder(order, amending(), { pricing, payment: payment(5_000, 'v2') }, LATER);
    expect(next.compensations).toEqual([before, owed({ since: LATER })]);
  });

  it('owes nothing when the payment stays, nor when there was nothing to pay', () => {
    const same = pricingOf(priced('ps_b', 3));
    expect(amendedOrder(orderIn(), amending(), { pricing: same, payment: null }, LATER)).toMatchObject({
      payment: payment(3_000),
      compensations: [],
    });
    const free = orderIn({ payment: payment(0) });
    const next = amendedOrder(free, amending(), { pricing, payment: payment(5_000, 'v2') }, LATER);
    expect(next.compensations).toEqual([]);
  });

  it.each([
    ['a note', { note: 'Ring twice' }, { note: 'Ring twice', shippingAddress: null }],
    ['an address', { shippingAddress: address }, { note: 'Old', shippingAddress: address }],
    ['no note any more', { note: null }, { note: null, shippingAddress: null }],
    ['nothing', {}, { note: 'Old', shippingAddress: null }],
  ])('with %s keeps the rest, one version further', (_, change, expected) => {
    const order = orderIn({ note: 'Old' });
    const next = amendedOrder(order, amending(change), stay, LATER);
    expect(next).toEqual({ ...order, ...expected, version: 3, updatedAt: LATER });
  });

  it('has the address taken away when that is asked for', () => {
    const order = orderIn({ shippingAddress: address });
    expect(amendedOrder(order, amending({ shippingAddress: null }), stay, LATER).shippingAddress).toBeNull();
  });

  it('holds stock again, or no longer, as its new lines need it', () => {
    const services = pricingOf(priced('ps_s', 3, 'service'));
    const without = amendedOrder(orderIn(), amending(), { pricing: services, payment: null }, LATER);
    expect(without.reservation).toBe('none');
    const goods = { pricing: pricingOf(priced('ps_a', 3)), payment: null };
    expect(amendedOrder(without, amending(), goods, LATER).reservation).toBe('held');
  });
});

it('an order holds stock when one of its lines is a product', () => {
  const kinds = fc.array(fc.constantFrom('product' as const, 'service' as const), { minLength: 1 });
  fc.assert(
    fc.property(kinds, (of) => {
      const pricing = pricingOf(...of.map((kind, n) => priced(`ps_${n}`, 1, kind)));
      expect(reservationOf(pricing)).toBe(of.includes('product') ? 'held' : 'none');
    }),
  );
});
