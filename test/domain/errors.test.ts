import {
  BusinessError,
  DuplicateOrder,
  externalRefTaken,
  IdempotencyKeyReused,
  InvalidTransition,
  NotFound,
  ORDER_KEY_REUSED,
  OrderRejected,
  OutdatedCommand,
  PaymentDeclined,
  PaymentKeyReused,
  PaymentRefused,
  PaymentUnsettled,
  PriceChanged,
  recordOf,
  StaleVersion,
} from '../../src/domain/errors';

/** The names are failure types of Temporal, so histories and the API depend on them. */
it.each([
  ['NotFound', new NotFound()],
  ['StaleVersion', new StaleVersion(3)],
  ['IdempotencyKeyReused', new IdempotencyKeyReused()],
  ['InvalidTransition', new InvalidTransition()],
  ['OutdatedCommand', new OutdatedCommand()],
  ['PaymentDeclined', new PaymentDeclined()],
  ['PaymentRefused', new PaymentRefused()],
  ['PaymentKeyReused', new PaymentKeyReused()],
  ['PaymentUnsettled', new PaymentUnsettled()],
  ['PriceChanged', new PriceChanged(1_000, 'EUR', 900)],
  ['AlreadyExists', externalRefTaken('PO-1', 'ord_2')],
  ['OutOfStock', new OrderRejected('OutOfStock', 'none left')],
])('%s is a business error with this name', (name, error) => {
  expect(error).toBeInstanceOf(BusinessError);
  expect(error.name).toBe(name);
});

it('OrderRejected has the reason as its name and the detail as its message', () => {
  expect(new OrderRejected('OutOfStock', 'none left')).toMatchObject({
    name: 'OutOfStock',
    message: 'none left',
  });
});

it('an order remembers a business error by its name and its message', () => {
  const outOfStock = new OrderRejected('OutOfStock', 'none left');
  expect(recordOf(outOfStock)).toEqual({ type: 'OutOfStock', message: 'none left' });
  expect(ORDER_KEY_REUSED).toEqual({
    type: 'IdempotencyKeyReused',
    message: 'This Idempotency-Key was used for another order.',
  });
  expect(Object.keys(recordOf(outOfStock))).toEqual(['type', 'message']);
  const { existingOrderId, message } = recordOf(externalRefTaken('PO-1', 'ord_2'));
  expect([existingOrderId, message]).toEqual(['ord_2', expect.stringContaining('PO-1')]);
  expect(recordOf(new PriceChanged(1_000, 'EUR', 900)).total).toBe(1_000);
});

it('DuplicateOrder is no business error', () => {
  const duplicate = new DuplicateOrder('ord_1', 'number');
  expect(duplicate).not.toBeInstanceOf(BusinessError);
  expect(duplicate).toMatchObject({ name: 'DuplicateOrder', field: 'number' });
  expect(duplicate.message).toBe('Another order has the number of order ord_1.');
});

it('a price that has changed is told with both totals, and what to do', () => {
  expect(new PriceChanged(1_000, 'EUR', 900).message).toMatch(
    /^The order costs 10\.00 EUR now, not 9\.00 EUR\. .* send it as expectedTotal if it is accepted\.$/,
  );
});
