import { fulfillCommand, refundCommand } from '../../src/orders/order-request';
import { orderIn } from '../domain/fixtures';

const ORDER = orderIn({ id: `ord_${'0'.repeat(32)}`, version: 7 });
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

it('says who sends the command, and which version of the order they had read', () => {
  expect(fulfill()).toMatchObject({ by: 'usr_1', requestId: 'r', seenVersion: 7 });
  expect(refund(1, 'a')).toMatchObject({ by: 'usr_1', requestId: 'r', amount: 1, reason: 'a' });
});
