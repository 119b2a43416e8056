import fc from 'fast-check';
import { openUnits } from '../../src/domain/allocation';
import { findingsOf } from '../../src/domain/findings';
import { dueOf, type PricedItem, type Pricing } from '../../src/domain/order';
import { isClosed } from '../../src/domain/order-transitions';
import { isWhole, repetitions } from '../support/sample';
import { priced, pricingOf } from './fixtures';
import { holds, PRODUCTS, STOCK, World, type Step } from './order-life/world';

/** How many fulfillments may be under way: an order with two ends in three commands. */
const UNDER_WAY = 2;

const item: fc.Arbitrary<PricedItem> = fc
  .record({
    id: fc.constantFrom(...PRODUCTS, 'ps_s'),
    quantity: fc.integer({ min: 1, max: 3 }),
    // Totals that do not divide, and lines that cost nothing.
    total: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(0)),
  })
  .map(({ id, quantity, total }) => ({
    ...priced(id, quantity, id === 'ps_s' ? 'service' : 'product'),
    subtotal: total,
    total,
  }));
const pricing: fc.Arbitrary<Pricing> = fc
  .array(item, { minLength: 1, maxLength: 2 })
  .map((items) => pricingOf(...items));

const line = fc.nat({ max: 1 });
const units = fc.integer({ min: 1, max: 2 });
const fulfillment = fc.nat({ max: 1 });
const restock = fc.boolean();
const named = <N extends Step['name'], T extends object>(name: N, fields: fc.Arbitrary<T>) =>
  fields.map((values) => ({ name, ...values }));
const nothing = fc.constant({});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: named(
      'fulfil',
      fc.record({
        line,
        units,
        isPaid: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
      }),
    ),
  },
  { weight: 1, arbitrary: named('fulfil the rest', nothing) },
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
) as fc.Arbitrary<Step>;

/** How often each step did something. */
const taken = new Map<string, number>();

function expectConserved(world: World): void {
  const { order, stock, ledger } = world;
  const sum = (count: (item: (typeof order.items)[number]) => number, id?: string) =>
    order.items
      .filter((one) => id === undefined || one.productServiceId === id)
      .reduce((total, one) => total + count(one), 0);
  for (const [id, { available, reserved, elsewhere }] of stock) {
    const withCustomers = sum((one) => one.fulfilledQuantity - one.restockedQuantity, id);
    const writtenOff = sum((one) => one.writtenOffQuantity, id);
    holds(available + reserved + elsewhere + withCustomers + writtenOff === STOCK, `${id} is conserved`);
    holds(reserved === (order.reservation === 'held' ? sum(openUnits, id) : 0), `${id} is reserved`);
    holds(available >= 0, `${id} is not oversold`);
  }
  for (const one of order.items) {
    holds(openUnits(one) >= 0, 'no more is fulfilled and cancelled than was ordered');
    holds(one.refundedQuantity <= one.fulfilledQuantity, 'only fulfilled units are refunded');
    holds(one.restockedQuantity <= one.refundedQuantity, 'only refunded units come back');
    holds(one.cancelledAmount <= one.total!, 'no line costs less than nothing');
    const isGone = one.cancelledQuantity === one.quantity;
    holds(!isGone || one.cancelledAmount === one.total, 'a line that is cancelled costs nothing');
  }
  const amounts = order.refunds.map(({ amount }) => amount);
  const all = amounts.reduce((total, amount) => total + amount, 0);
  holds(order.cancelled === sum((one) => one.cancelledAmount), 'the lines say what is cancelled');
  holds(order.captured === ledger.captured, 'the order knows what is captured');
  holds(order.refunded === ledger.refunded, 'the order knows what is refunded');
  holds(order.refunded <= all && all <= order.captured, 'refunded <= promised <= captured');
  holds(
    [...ledger.open.values()].every((open) => open >= 0),
    'no more is captured than authorised',
  );
  holds(
    world.payments().every((payment) => findingsOf(order, payment).length === 0),
    'order and payment service agree',
  );
}

/** Fails unless a closed order that owes nothing has left nothing behind: no stock, no reserved money. */
function expectEnded({ order, ledger, isRefunded }: World): void {
  holds(isClosed(order), 'the order is closed');
  holds(order.compensations.length === 0, 'nothing is owed');
  holds(
    [...ledger.open.values()].every((open) => open === 0),
    'no money is reserved',
  );
  holds(order.reservation !== 'held', 'no stock is reserved');
  holds(order.overdueSince === null, 'nothing is waited for');
  const net = order.captured - order.refunded;
  holds(isRefunded ? net <= dueOf(order)! : net === dueOf(order), 'the customer has paid what is due');
}

it.each(['once', 'many'] as const)(
  'whatever happens to an order whose payment is captured %s, it can end in three commands, and stock and money are conserved',
  (captures) => {
    const sequences = fc.property(
      pricing,
      fc.array(step, { maxLength: 16, size: 'max' }),
      (ordered, steps) => {
        const world = new World(ordered, captures);
        const expectToEnd = () => {
          const ending = world.fork();
          holds(ending.end() <= UNDER_WAY + 1, 'three commands end the order');
          expectConserved(ending);
          expectEnded(ending);
        };
        expectToEnd();
        for (const one of steps) {
          if (one.name.startsWith('fulfil') && world.underWay().length >= UNDER_WAY) continue;
          world.take(one);
          expectConserved(world);
          expectToEnd();
        }
        for (const name of world.done) taken.set(name, (taken.get(name) ?? 0) + 1);
      },
    );
    const numRuns = repetitions('domain/order-life: sequences of commands');
    fc.assert(sequences, { numRuns, seed: Number(process.env.TEST_SEED) });
    const names: Step['name'][] = [
      'amend',
      'fulfil',
      'fulfil the rest',
      'undo',
      'correct',
      'deliver',
      'cancel',
    ];
    const others: Step['name'][] = ['cancel the rest', 'refund', 'refund an amount', 'expire', 'settle'];
    expect([...taken.keys()]).toEqual(expect.arrayContaining(isWhole ? [...names, ...others] : names));
  },
);
