import fc from 'fast-check';
import { openUnits } from '../../src/domain/allocation';
import { findingsOf, type FindingKind } from '../../src/domain/findings';
import { dueOf } from '../../src/domain/order';
import { currentPayment } from '../../src/domain/order-payment';
import { isClosed } from '../../src/domain/order-transitions';
import { disputedOf } from '../../src/domain/payment';
import { isWhole, repetitions } from '../support/sample';
import { policy } from './fixtures';
import { Ledger } from './order-life/ledger';
import { card, pricing, retryWindowMs, step } from './order-life/steps';
import { holds, STOCK, World, type Step } from './order-life/world';

/** How many fulfillments may be under way: an order with two ends in three commands. */
const UNDER_WAY = 2;

/**
 * Steps that do something, which proves that the sequences reach what they test. Counted in 20,000 sequences: each is in more
 * than one of 20, and a sample of 200 lacks any of them less than once in 25,000 runs.
 */
const IN_EACH_SAMPLE: Step['name'][] = [
  'amend',
  'fulfill',
  'fulfill the rest',
  'undo',
  'deliver',
  'cancel',
  'cancel the rest',
  'refund',
  'expire',
  'settle',
  'look again',
];
/** Rarer ones: the rarest, of which there has to be a dispute first, is in ten of 10,000 sequences. */
const IN_THE_WHOLE: Step['name'][] = [
  ...IN_EACH_SAMPLE,
  'correct',
  'refund an amount',
  'pay',
  'answer',
  'capture elsewhere',
  'refund elsewhere',
  'end a refund',
  'lapse',
  'be too late',
  'dispute',
  'decide a dispute',
];

/** How often each step did something. */
const taken = new Map<string, number>();

function expectConserved({ order, stock }: World): void {
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
  holds(order.cancelled === sum((one) => one.cancelledAmount), 'the lines say what is cancelled');
  const made = total(order.refunds.filter(({ status }) => status === 'succeeded'));
  holds(order.refunded === made, 'the refunds say what is refunded');
  holds(order.refunded <= order.captured, 'refunded <= captured');
}

const total = (some: readonly { amount: number }[]) => some.reduce((sum, { amount }) => sum + amount, 0);

/** What people and banks do elsewhere may leave these to people. */
const EXPECTED: ReadonlySet<FindingKind> = new Set(['capture_without_shipment', 'charge_unknown']);

/** Fails unless an order at rest says what the payment service says. */
function expectInLine({ order, ledger }: World): void {
  const { captured, refunded, disputes } = order;
  const isDisputed = order.disputes.some(({ status }) => status === 'opened');
  holds(order.compensations.length === 0 || isDisputed, 'nothing is owed');
  const current = currentPayment(order).key;
  for (const payment of ledger.payments.values()) {
    const differences = findingsOf(order, payment).map(({ kind }) => kind);
    holds(
      differences.every((kind) => EXPECTED.has(kind)),
      `there are no findings: ${differences.join()}`,
    );
    const back = total(payment.refunds.filter(({ status }) => status !== 'failed'));
    const isOurs = payment.key === current && captured > 0;
    if (isOurs) {
      const owed = new Set(order.compensations.map(({ refundId }) => refundId));
      const underWay = total(order.refunds.filter(({ id, status }) => status === 'pending' && !owed.has(id)));
      holds(captured === payment.captured, 'the order knows what is captured');
      holds(refunded + underWay === back, 'the order knows what is refunded');
      holds(disputedOf(order) === disputedOf(payment), 'the order knows what is disputed');
      holds(disputes.length === payment.disputes.length, 'the order knows all disputes');
    } else {
      // Of such a payment, the bank may return refunds, and disputes that the shop wins after all was paid back.
      const returned = total(payment.refunds) - back;
      const won = total(payment.disputes.filter(({ status }) => status === 'won'));
      const left = payment.captured - back - disputedOf(payment);
      holds(left === 0 || differences.includes('charge_unknown'), 'people are told of money that is left');
      holds(0 <= left && left <= returned + won, 'another payment takes no money');
    }
    const isReserved =
      payment.key === current &&
      !order.payment?.isClosed &&
      ['authorized', 'captured', 'partially_refunded', 'refunded'].includes(order.paymentStatus);
    holds(
      payment.open === (isReserved ? payment.amount - captured : 0),
      'what is reserved is what the order needs',
    );
    const isEnough = payment.amount >= dueOf(order)! || order.paymentStatus !== 'authorized';
    holds(payment.key !== current || isEnough, 'what is authorised pays for all of the order');
  }
}

/** Fails unless a closed order has left nothing behind: no stock, no reserved money. */
function expectEnded({ order, ledger, isTouched }: World): void {
  holds(isClosed(order), 'the order is closed');
  holds(
    [...ledger.payments.values()].every(({ open }) => open === 0),
    'no money is reserved',
  );
  holds(order.reservation !== 'held', 'no stock is reserved');
  holds(order.overdueSince === null && order.payBy === null, 'nothing is waited for');
  const underWay = total(order.refunds.filter(({ status }) => status === 'pending'));
  const net = order.captured - order.refunded - underWay - disputedOf(order);
  const due = order.status === 'rejected' ? 0 : dueOf(order)!;
  // Staff decide on those that the bank has returned.
  const failed = total(order.refunds.filter(({ status }) => status === 'failed'));
  holds(net <= due + failed, 'the customer has not paid more than what is due');
  holds(isTouched || net === due, 'the customer has paid what is due');
}

it.each(['once', 'many'] as const)(
  'whatever happens to an order whose payment is captured %s, it can end in three commands, and stock and money are conserved',
  (captures) => {
    const sequences = fc.property(
      fc.record({ pricing, card, retryWindowMs, refundsArePending: fc.boolean() }),
      fc.array(step, { maxLength: 16, size: 'max' }),
      ({ pricing, card, retryWindowMs, refundsArePending }, steps) => {
        const ledger = new Ledger(captures, refundsArePending);
        const world = new World({ pricing, card, policy: { ...policy, retryWindowMs }, ledger });
        const expectToEnd = () => {
          const ending = world.fork();
          holds(ending.end() <= UNDER_WAY + 1, 'three commands end the order');
          ending.comeToRest();
          expectConserved(ending);
          expectInLine(ending);
          expectEnded(ending);
        };
        expectToEnd();
        for (const one of steps) {
          if (one.name.startsWith('fulfill') && world.underWay().length >= UNDER_WAY) continue;
          world.take(one);
          expectConserved(world);
          const resting = world.fork();
          resting.comeToRest();
          expectConserved(resting);
          expectInLine(resting);
          expectToEnd();
        }
        for (const name of world.done) taken.set(name, (taken.get(name) ?? 0) + 1);
      },
    );
    const numRuns = repetitions('domain/order-life: sequences of commands');
    fc.assert(sequences, { numRuns, seed: Number(process.env.TEST_SEED) });
    expect([...taken.keys()]).toEqual(expect.arrayContaining(isWhole ? IN_THE_WHOLE : IN_EACH_SAMPLE));
  },
);
