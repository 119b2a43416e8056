import { madeBefore, NotFound } from '../../src/domain/command';
import { BusinessError } from '../../src/domain/errors';
import { StaleVersion } from '../../src/domain/amendment';
import { DuplicateOrder, IdempotencyKeyReused } from '../../src/domain/order';
import { InvalidTransition } from '../../src/domain/order-transitions';
import { PaymentDeclined, PaymentRefused } from '../../src/domain/payment';
import { OrderRejected } from '../../src/domain/rejection';
import { failing, refundOf, refunding } from './fixtures';

describe('what an earlier run of a command made', () => {
  const made = [refundOf(100, 'k1'), refundOf(200, 'k2')];

  it('is found by its key', () => {
    expect(madeBefore(made, refunding(200, { id: 'k2', fingerprint: 'f-k2' }))).toBe(made[1]);
  });

  it('is nothing under a new key', () => {
    expect(madeBefore(made, refunding(200, { id: 'k3' }))).toBeUndefined();
  });

  it('is not something else under the same key', () => {
    const command = refunding(300, { id: 'k1', fingerprint: 'other' });
    expect(() => madeBefore(made, command)).toThrow(
      failing('IdempotencyKeyReused', /used for something else/),
    );
  });
});

/** The names are failure types of Temporal: histories and the API know them. */
it.each([
  ['NotFound', new NotFound()],
  ['StaleVersion', new StaleVersion(3)],
  ['IdempotencyKeyReused', new IdempotencyKeyReused()],
  ['InvalidTransition', new InvalidTransition()],
  ['PaymentDeclined', new PaymentDeclined()],
  ['PaymentRefused', new PaymentRefused()],
  ['OutOfStock', new OrderRejected('OutOfStock', 'none left')],
])('%s is an answer of the business', (name, error) => {
  expect(error).toBeInstanceOf(BusinessError);
  expect(error.name).toBe(name);
});

it('an order that is stored already is no answer of the business: it is looked up', () => {
  expect(new DuplicateOrder('ord_1')).not.toBeInstanceOf(BusinessError);
  expect(new DuplicateOrder('ord_1')).toMatchObject({ name: 'DuplicateOrder', message: 'ord_1' });
});
