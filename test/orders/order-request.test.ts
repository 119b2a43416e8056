import { commandBy, fulfillCommand, orderIdOf, refundCommand } from '../../src/orders/order-request';
import { orderIn } from '../domain/fixtures';

const ORDER = orderIn({ id: `ord_${'0'.repeat(32)}`, revision: 7 });
const OTHER = orderIn({ id: `ord_${'1'.repeat(32)}` });
const CALLER = { principal: { id: 'usr_1', role: 'ADMIN' }, requestId: 'r' } as const;
const SHIPPED = { items: [{ productServiceId: 'ps_x', quantity: 1 }], carrier: null, trackingNumber: null };
const fulfill = (changes: Partial<typeof SHIPPED | { carrier: string }> = {}, key?: string, order = ORDER) =>
  fulfillCommand(order, CALLER, { ...SHIPPED, ...changes }, key);
const refund = (amount: number | null, reason: string, key = 'k', order = ORDER) =>
  refundCommand(order, CALLER, { amount, reason }, key);

it('gives one id to one key of one order, and another id to anything else', () => {
  expect(fulfill({}, 'k').id).toBe(fulfill({ carrier: 'DHL' }, 'k').id);
  expect(refund(1, 'a').id).toBe(refund(null, 'b').id);
  const ids = [
    fulfill({}, 'k'),
    fulfill({}, 'l'),
    fulfill({}, 'k', OTHER),
    fulfill(),
    fulfill(),
    refund(1, 'a'),
    refund(1, 'a', 'l'),
    refund(1, 'a', 'k', OTHER),
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

it('lets the staff repeat what a colleague has sent', () => {
  const colleague = { principal: { id: 'usr_2', role: 'ADMIN' }, requestId: 's' } as const;
  const [shipped, refunded] = [fulfill({}, 'k'), refund(1, 'a')];
  expect(fulfillCommand(ORDER, colleague, SHIPPED, 'k')).toMatchObject({
    id: shipped.id,
    fingerprint: shipped.fingerprint,
  });
  expect(refundCommand(ORDER, colleague, { amount: 1, reason: 'a' }, 'k').id).toBe(refunded.id);
});

it('gives different content a different fingerprint', () => {
  const prints = [
    fulfill(),
    fulfill({ carrier: 'DHL' }),
    fulfill({ items: [...SHIPPED.items, ...SHIPPED.items] }),
    refund(1, 'a'),
    refund(null, 'a'),
    refund(1, 'b'),
  ].map(({ fingerprint }) => fingerprint);
  expect(new Set(prints).size).toBe(prints.length);
  expect(fulfill().fingerprint).toBe(prints[0]);
  expect(fulfill().attemptId).not.toBe(fulfill().attemptId);
});

it('says who sends the command, and which revision of the order they had read', () => {
  const by = { by: 'usr_1', requestId: 'r', seenRevision: 7 };
  expect(commandBy(CALLER, ORDER)).toMatchObject(by);
  expect(fulfill()).toMatchObject({ ...by, ...SHIPPED });
  expect(refund(1, 'a')).toMatchObject({ ...by, amount: 1, reason: 'a' });
});

it('gives each command without a key an id of its own', () => {
  const [one, other] = [commandBy(CALLER, ORDER), commandBy(CALLER, ORDER)];
  expect(one.id).toMatch(/^cmd_/);
  expect(other.id).not.toBe(one.id);
});
