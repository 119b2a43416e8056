import fc from 'fast-check';
import type { PricedItem, Pricing } from '../../../src/domain/order';
import { priced, pricingOf } from '../fixtures';
import type { Card } from './ledger';
import { PRODUCTS, type Step } from './world';

const item: fc.Arbitrary<PricedItem> = fc
  .record({
    id: fc.constantFrom(...PRODUCTS, 'ps_s'),
    quantity: fc.integer({ min: 1, max: 3 }),
    // Totals that do not divide, since they are tax alone, and lines that cost nothing.
    total: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(0)),
  })
  .map(({ id, quantity, total }) => ({
    ...priced(id, quantity, id === 'ps_s' ? 'service' : 'product'),
    unitPrice: 0,
    subtotal: 0,
    tax: total,
    total,
  }));
export const pricing: fc.Arbitrary<Pricing> = fc
  .array(item, { minLength: 1, maxLength: 2 })
  .map((items) => pricingOf(...items));

const line = fc.nat({ max: 1 });
const units = fc.integer({ min: 1, max: 2 });
const fulfillment = fc.nat({ max: 1 });
const restock = fc.boolean();
const amount = fc.integer({ min: 1, max: 100 });
export const card: fc.Arbitrary<Card> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('accepted' as const) },
  { weight: 2, arbitrary: fc.constant('asking' as const) },
  { weight: 2, arbitrary: fc.constant('declined' as const) },
  { weight: 1, arbitrary: fc.constant('silent' as const) },
);
export const retryWindowMs = fc.constantFrom(0, 900_000);
const named = <N extends Step['name'], T extends object>(name: N, fields: fc.Arbitrary<T>) =>
  fields.map((values) => ({ name, ...values }));
const nothing = fc.constant({});

export const step = fc.oneof(
  {
    weight: 6,
    arbitrary: named(
      'fulfill',
      fc.record({
        line,
        units,
        isPaid: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
      }),
    ),
  },
  { weight: 1, arbitrary: named('fulfill the rest', nothing) },
  { weight: 3, arbitrary: named('undo', fc.record({ fulfillment, restock })) },
  { weight: 1, arbitrary: named('correct', fc.record({ fulfillment })) },
  { weight: 3, arbitrary: named('deliver', fc.record({ fulfillment })) },
  { weight: 3, arbitrary: named('cancel', fc.record({ line, units })) },
  { weight: 1, arbitrary: named('cancel the rest', nothing) },
  { weight: 3, arbitrary: named('refund', fc.record({ line, units, restock })) },
  { weight: 1, arbitrary: named('refund an amount', fc.record({ amount: fc.integer({ min: 1, max: 50 }) })) },
  { weight: 1, arbitrary: named('amend', fc.record({ pricing })) },
  { weight: 1, arbitrary: named('expire', nothing) },
  { weight: 2, arbitrary: named('settle', nothing) },
  { weight: 1, arbitrary: named('sell elsewhere', fc.record({ units })) },
  { weight: 3, arbitrary: named('pay', fc.record({ card })) },
  { weight: 2, arbitrary: named('answer', fc.record({ how: fc.constantFrom('authorise', 'fail') })) },
  { weight: 6, arbitrary: named('look again', nothing) },
  { weight: 1, arbitrary: named('be too late', nothing) },
  {
    weight: 2,
    arbitrary: named('capture elsewhere', fc.record({ amount, isFinal: fc.boolean() })),
  },
  { weight: 2, arbitrary: named('refund elsewhere', fc.record({ amount })) },
  {
    weight: 3,
    arbitrary: named(
      'end a refund',
      fc.record({ refund: fc.nat({ max: 2 }), status: fc.constantFrom('succeeded', 'failed') }),
    ),
  },
  { weight: 1, arbitrary: named('lapse', nothing) },
  { weight: 1, arbitrary: named('dispute', fc.record({ amount })) },
  { weight: 1, arbitrary: named('decide a dispute', fc.record({ status: fc.constantFrom('won', 'lost') })) },
) as fc.Arbitrary<Step>;
