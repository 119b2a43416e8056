import { unpaidOf, withoutUnpaid, withUnpaid, type UnpaidOrder } from '../../src/domain/unpaid';
import { failing, itemOf, LATER, orderIn, priced } from './fixtures';

const order = (orderId: string, ...units: [string, number][]): UnpaidOrder => ({
  orderId,
  units: units.map(([productServiceId, quantity]) => ({ productServiceId, quantity })),
});
const LIMITS = { orders: 2, units: 10 };

describe('a customer may have', () => {
  it('as many unpaid orders as the limit says, and no more', () => {
    const two = withUnpaid([order('a')], order('b'), LIMITS);
    expect(two).toEqual([order('a'), order('b')]);
    expect(() => withUnpaid(two, order('c'), LIMITS)).toThrow(
      failing('TooManyUnpaid', /^2 other orders .*wait to be paid/),
    );
    expect(withUnpaid(withoutUnpaid(two, 'a'), order('c'), LIMITS)).toEqual([order('b'), order('c')]);
  });

  it('the same order once, however often it begins to wait', () => {
    const two = withUnpaid([order('a')], order('b', ['x', 10]), LIMITS);
    expect(withUnpaid(two, order('b', ['x', 10]), LIMITS)).toEqual(two);
  });

  it('units of each product up to the limit in all of them', () => {
    const held = [order('a', ['x', 6], ['y', 9])];
    expect(withUnpaid(held, order('b', ['x', 4]), LIMITS)).toHaveLength(2);
    expect(() => withUnpaid(held, order('b', ['x', 5]), LIMITS)).toThrow(
      /hold 11 units of x, and may hold 10/,
    );
    expect(() => withUnpaid([], order('b', ['x', 11]), LIMITS)).toThrow(/hold 11 units/);
  });

  it('any number without a limit', () => {
    const none = { orders: 0, units: 0 };
    const many = Array.from({ length: 50 }, (_, n) => order(`o${n}`, ['x', 1_000]));
    expect(withUnpaid(many, order('b', ['x', 1_000]), none)).toHaveLength(51);
  });
});

describe('an order that waits for its customer', () => {
  const waiting = { status: 'pending', paymentStatus: 'action_required', payBy: LATER } as const;

  it('holds its open units of each product', () => {
    const items = [itemOf(priced('ps_a', 2)), itemOf(priced('ps_b', 1), 1)];
    expect(unpaidOf(orderIn({ ...waiting, items }))).toEqual(order('ord_1', ['ps_a', 2]));
  });

  it('is none once it is paid', () => {
    expect(unpaidOf(orderIn())).toBeNull();
  });
});
