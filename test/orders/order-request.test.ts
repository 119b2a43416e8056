import {
  canBeOrderOf,
  cartOrderIdOf,
  commandBy,
  fingerprintOf,
  orderIdOf,
  type Caller,
} from '../../src/orders/order-request';
import { orderIn } from '../domain/fixtures';

const ORDER = orderIn({ id: `ord_${'0'.repeat(32)}`, revision: 7 });
const OTHER = orderIn({ id: `ord_${'1'.repeat(32)}` });
const CALLER: Caller = { principal: { id: 'usr_1', role: 'ADMIN' }, requestId: 'r' };
const CUSTOMER: Caller = { principal: { id: 'usr_9', role: 'CUSTOMER' }, requestId: 'r' };
const CONTENT = { items: [{ productServiceId: 'ps_x', quantity: 1 }], reason: 'a' };
const by = (changes: object = {}, key?: string, kind = 'ful', order = ORDER, caller = CALLER) =>
  commandBy({ ...caller, idempotencyKey: key }, order, kind, { ...CONTENT, ...changes });
const colleague: Caller = { principal: { id: 'usr_2', role: 'ADMIN' }, requestId: 's' };

it('gives one id to one key of one order and kind of command, and another id to anything else', () => {
  expect(by({}, 'k').id).toBe(by({ reason: 'b' }, 'k').id);
  expect(by({}, 'k').id).toBe(by({}, 'k', 'ful', ORDER, colleague).id);
  const ids = [
    by({}, 'k'),
    by({}, 'l'),
    by({}, 'k', 'ful', OTHER),
    by(),
    by(),
    by({}, 'k', 'ref'),
    by({}, 'k', 'ful', ORDER, CUSTOMER),
  ].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^(ful|ref)_[0-9a-f]{32}$/);
});

it('gives the keys of a customer, of the staff and of programs orders of their own', () => {
  const ids = [
    orderIdOf('usr_1', 'k'),
    orderIdOf('usr_1', 'k', 'usr_2'),
    orderIdOf('usr_1', 'k', 'usr_3'),
    orderIdOf('usr_1', 'k', 'key_1'),
    orderIdOf('usr_2', 'k', 'usr_1'),
    orderIdOf('usr_2', 'k'),
    orderIdOf('usr_1', 'l'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(orderIdOf('usr_1', 'k', 'usr_1')).toBe(ids[0]);
});

it('gives each attempt to order a cart an order of its own, which no key of the customer names', () => {
  const cart = { id: 'cart_1', attempt: 1, customerId: 'usr_1' };
  const ids = [
    cartOrderIdOf(cart),
    cartOrderIdOf({ ...cart, attempt: 2 }),
    cartOrderIdOf({ ...cart, id: 'cart_2' }),
    orderIdOf('usr_1', '1'),
    orderIdOf('usr_1', '1', 'cart_1'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => canBeOrderOf('usr_1', id))).toBe(true);
});

it('tells by its id whose an order can be', () => {
  for (const placedBy of ['usr_1', 'usr_2', 'key_1']) {
    const id = orderIdOf('usr_1', 'k', placedBy);
    expect([canBeOrderOf('usr_1', id), canBeOrderOf('usr_2', id)]).toEqual([true, false]);
    expect(canBeOrderOf('usr_1', `${id}0`)).toBe(false);
    expect(canBeOrderOf('usr_1', id.replace('ord_', 'xxx_'))).toBe(false);
  }
});

it('gives different content a different fingerprint, however its fields are sorted', () => {
  const prints = [
    by({}, 'k'),
    by({ reason: 'b' }, 'k'),
    by({ reason: null }, 'k'),
    by({ items: [...CONTENT.items, ...CONTENT.items] }, 'k'),
  ].map(({ fingerprint }) => fingerprint);
  expect(new Set(prints).size).toBe(prints.length);
  const sorted = { reason: 'a', items: [{ quantity: 1, productServiceId: 'ps_x' }] };
  const other = commandBy({ ...CALLER, idempotencyKey: 'k' }, ORDER, 'ful', sorted);
  expect(other.fingerprint).toBe(prints[0]);
  expect(by({}, 'k').attemptId).not.toBe(by({}, 'k').attemptId);
});

it('gives an order a fingerprint from which nothing can be guessed without its Idempotency-Key', () => {
  const content = { items: [], paymentMethod: 'pm_card_visa', note: 'Ring twice', shippingAddress: null };
  const prints = ['k', 'k', 'l'].map((key) => fingerprintOf(content, key));
  expect(prints[0]).toBe(prints[1]);
  expect(prints[0]).not.toBe(prints[2]);
  expect(fingerprintOf({ ...content, note: null }, 'k')).not.toBe(prints[0]);
});

it('says who sends the command, under which conditions, and which revision they had read', () => {
  const said = { by: 'usr_1', requestId: 'r', seenRevision: 7 };
  expect(by()).toEqual({ ...CONTENT, ...said, id: expect.any(String) });
  expect(by({}, undefined, 'can', ORDER, CUSTOMER).by).toBe(ORDER.customerId); // also if it was taken over
  const ifMatch = [2, 3];
  expect(commandBy({ ...CALLER, ifMatch }, ORDER, 'ful', CONTENT)).toMatchObject({ ...said, ifMatch });
});
