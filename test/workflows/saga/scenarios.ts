import type { OrderRequest } from '../../../src/domain/order';
import type { Result, Customer } from './commands';
import type { Authorizing } from './fault-injector';

/** One command that an order gets. */
export interface Move {
  name: string;
  make(customer: Customer, productId: string): Promise<Result>;
  /** Whether it is made again if the order could not be changed, as the payment service sends an event again. */
  isSentAgain?: boolean;
}

/** The life of an order, if nothing goes wrong. */
export interface Scenario {
  name: string;
  request?: Partial<OrderRequest>;
  authorizing?: Authorizing;
  /** Whether workers of orders call the payment service themselves. */
  inlinePayments?: boolean;
  moves: readonly Move[];
}

/** The units of each order and of the stock: so few that a step that runs twice is noticed. */
export const ORDERED = 3;
export const AVAILABLE = 5;

const place: Move = { name: 'place', make: (customer) => customer.place() };
const cancel: Move = { name: 'cancel', make: (customer) => customer.cancel() };
const archive: Move = { name: 'archive', make: (customer) => customer.archive() };

const amend = (quantity: number): Move => ({
  name: `amend to ${quantity}`,
  async make(customer, productServiceId) {
    const { version } = (await customer.stored())!;
    return customer.amend({ ifMatch: [version], items: [{ productServiceId, quantity }] });
  },
});

const fulfill = (quantity: number): Move => ({
  name: `fulfill ${quantity}`,
  make: (customer, productServiceId) => customer.fulfill(`ful-${quantity}`, [{ productServiceId, quantity }]),
});

const deliver = (quantity: number): Move => ({
  name: `deliver ${quantity}`,
  make: (customer) => customer.deliver(`ful-${quantity}`),
});

const refund = (amount: number | null): Move => ({
  name: `refund ${amount ?? 'the rest'}`,
  make: (customer) => customer.refund(`ref-${amount}`, amount),
});

const cancelUnits = (quantity: number): Move => ({
  name: `cancel ${quantity}`,
  make: (customer, productServiceId) =>
    customer.cancelUnits(`cancel-${quantity}`, [{ productServiceId, quantity }]),
});

const undo = (quantity: number, restock: boolean): Move => ({
  name: `undo ${quantity}, ${restock ? 'which came back' : 'which are lost'}`,
  make: (customer) => customer.undo(`ful-${quantity}`, restock),
});

const correct = (quantity: number): Move => ({
  name: `correct ${quantity}`,
  make: (customer) => customer.correct(`ful-${quantity}`, 'DHL'),
});

const refundUnits = (quantity: number): Move => ({
  name: `refund ${quantity}, which came back`,
  make: (customer, productServiceId) =>
    customer.refund(`ref-${quantity}-units`, null, [{ productServiceId, quantity, restock: true }]),
});

/** The customer answers the bank, and comes back to the shop. */
const confirm: Move = { name: 'confirm', make: (customer) => customer.confirm(), isSentAgain: true };
const lapse: Move = { name: 'lapse', make: (customer) => customer.lapse(), isSentAgain: true };
const pay: Move = { name: 'pay', make: (customer) => customer.pay('pay-1', 'pm_card_mastercard') };

export const SCENARIOS: readonly Scenario[] = [
  { name: 'amended at once', inlinePayments: true, moves: [place, amend(AVAILABLE)] },
  {
    name: 'completed and refunded at once',
    inlinePayments: true,
    moves: [place, fulfill(ORDERED), refund(null), deliver(ORDERED), archive],
  },
  { name: 'placed', moves: [place] },
  { name: 'declined', request: { paymentMethod: 'pm_card_chargeDeclined' }, moves: [place] },
  {
    name: 'confirmed by its customer',
    request: { paymentMethod: 'pm_card_threeDSecure2Required' },
    moves: [place, confirm, fulfill(ORDERED)],
  },
  {
    name: 'confirmed by its customer at once',
    request: { paymentMethod: 'pm_card_threeDSecure2Required' },
    inlinePayments: true,
    moves: [place, confirm],
  },
  { name: 'paid again', moves: [place, lapse, pay, fulfill(ORDERED)] },
  { name: 'paid without a response', authorizing: 'done without a response', moves: [place] },
  { name: 'not paid, without a response', authorizing: 'no response', moves: [place] },
  { name: 'cancelled', moves: [place, cancel, archive] },
  { name: 'amended to more', moves: [place, amend(AVAILABLE)] },
  { name: 'amended to fewer', moves: [place, amend(1)] },
  { name: 'delivered in parts', moves: [place, fulfill(1), fulfill(2), deliver(1), deliver(2)] },
  { name: 'refunded', moves: [place, fulfill(ORDERED), refund(1_000), refund(null)] },
  { name: 'closed short', moves: [place, fulfill(1), cancelUnits(1), cancel, deliver(1), archive] },
  {
    name: 'sent again', // of five units three are lost, and two are left to replace them
    moves: [place, fulfill(ORDERED), undo(ORDERED, false), fulfill(2), correct(2), deliver(2)],
  },
  { name: 'sent back', moves: [place, fulfill(1), refundUnits(1), fulfill(2), undo(2, true), cancel] },
  {
    name: 'refunded when completed',
    moves: [place, fulfill(ORDERED), deliver(ORDERED), refund(1_000), refund(null)],
  },
];
