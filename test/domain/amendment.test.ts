import { amendedOrder, needsPayment, requireAmendable } from '../../src/domain/amendment';
import { amending, failing, itemOf, LATER, orderIn, owed, payment, priced, pricingOf } from './fixtures';

describe('requireAmendable', () => {
  it.each([
    ['any version', null],
    ['the version that the client has seen', [2]],
    ['one of several versions that the client has seen', [1, 2]],
  ])('accepts %s', (_, ifMatch) => {
    expect(() => requireAmendable(orderIn(), amending({ ifMatch }))).not.toThrow();
  });

  it.each([[[1]], [[3]], [[]]])('rejects a client that has seen the versions %j', (ifMatch) => {
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
  ] as const)('rejects an order that is %j', (state, message) => {
    expect(() => requireAmendable(orderIn(state), amending())).toThrow(failing('InvalidTransition', message));
  });

  it('reports a stale version before anything else', () => {
    const command = amending({ ifMatch: [1] });
    expect(() => requireAmendable(orderIn({ status: 'completed' }), command)).toThrow(
      failing('StaleVersion', /./),
    );
  });
});

describe('needsPayment', () => {
  const order = orderIn();

  it.each([
    ['no new lines', null, false],
    ['the same total', pricingOf(priced('ps_b', 3)), false],
    ['a higher total', pricingOf(priced('ps_b', 4)), true],
    ['a lower total', pricingOf(priced('ps_b', 2)), true],
    ['another currency', { ...pricingOf(priced('ps_b', 3)), currency: 'USD' }, true],
  ])('depends on total and currency: %s', (_, pricing, expected) => {
    expect(needsPayment(order, pricing)).toBe(expected);
  });
});

describe('amendedOrder', () => {
  const pricing = pricingOf(priced('ps_b', 5));
  const address = { name: 'A', line1: '1 Road', city: 'X', postalCode: '1', country: 'DE' };
  const stay = { pricing: null, payment: null };

  it('has the new lines and prices, nothing of them fulfilled, and the earlier payment to void', () => {
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

  it('keeps earlier compensations', () => {
    const before = owed({ step: 'voidPayment-0', state: 'resolved' });
    const order = orderIn({ compensations: [before] });
    const next = amendedOrder(order, amending(), { pricing, payment: payment(5_000, 'v2') }, LATER);
    expect(next.compensations).toEqual([before, owed({ since: LATER })]);
  });

  it('has nothing to void when the payment stays or was 0', () => {
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
    ['the note removed', { note: null }, { note: null, shippingAddress: null }],
    ['nothing', {}, { note: 'Old', shippingAddress: null }],
  ])('with %s keeps the rest, in the next version', (_, change, expected) => {
    const order = orderIn({ note: 'Old' });
    const next = amendedOrder(order, amending(change), stay, LATER);
    expect(next).toEqual({ ...order, ...expected, version: 3, updatedAt: LATER });
  });

  it('removes the address on request', () => {
    const order = orderIn({ shippingAddress: address });
    expect(amendedOrder(order, amending({ shippingAddress: null }), stay, LATER).shippingAddress).toBeNull();
  });

  it('holds stock if its new lines need it', () => {
    const services = pricingOf(priced('ps_s', 3, 'service'));
    const without = amendedOrder(orderIn(), amending(), { pricing: services, payment: null }, LATER);
    expect(without.reservation).toBe('none');
    const goods = { pricing: pricingOf(priced('ps_a', 3)), payment: null };
    expect(amendedOrder(without, amending(), goods, LATER).reservation).toBe('held');
  });
});
