import { createStripeList } from '../../../src/payments/stripe/list';
import type { StripeRequests } from '../../../src/payments/stripe/requests';

const PERIOD = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' };
const created = { gte: 1_767_225_600, lt: 1_767_312_000 };
const refund = (id: string, payment_intent: unknown = 'pi_1') => ({
  id,
  payment_intent,
  amount: 100,
  status: 'succeeded',
  metadata: { key: id },
});
const dispute = (id: string, status: string) => ({
  id,
  payment_intent: { id: 'pi_1' },
  amount: 100,
  currency: 'eur',
  reason: 'fraudulent',
  status,
});
const charge = { status: 'succeeded', disputed: false, refunds: { data: [refund('re_1')], has_more: false } };
const intent = (fields: object = {}) => ({
  id: 'pi_1',
  status: 'succeeded',
  amount: 500,
  amount_received: 500,
  currency: 'eur',
  created: created.gte,
  metadata: { key: 'ord_1-1', orderId: 'ord_1', paymentMethod: 'pm_card_visa' },
  latest_charge: charge,
  ...fields,
});

/** Lists what an account has. */
function listOf(account: {
  intents?: object;
  refunds?: object;
  disputes?: object;
  intent?: object;
  refundsOf?: object[];
  disputesOf?: object[];
}) {
  const nothing = { data: [], has_more: false };
  const requests = {
    listIntents: jest.fn(async (_period: object) => account.intents ?? nothing),
    listRefunds: jest.fn(async (_period: object) => account.refunds ?? nothing),
    listDisputes: jest.fn(async (_period: object) => account.disputes ?? nothing),
    retrieve: jest.fn(async (_id: string) => account.intent ?? intent()),
    refunds: jest.fn(async (_id: string) => account.refundsOf ?? []),
    disputes: jest.fn(async (_id: string) => account.disputesOf ?? []),
  };
  const list = createStripeList(requests as unknown as StripeRequests, { find: async () => null });
  return { requests, list };
}

it('reads the payments of the period, then the refunds, then the disputes, each list where its last page has ended', async () => {
  const { list, requests } = listOf({ intents: { data: [intent({ id: 'pi_9' })], has_more: true } });
  expect(await list(PERIOD)).toMatchObject({ nextCursor: 'intents:pi_9' });
  expect(requests.listIntents).toHaveBeenLastCalledWith({ created });
  await list({ ...PERIOD, cursor: 'intents:pi_9' });
  expect(requests.listIntents).toHaveBeenLastCalledWith({ created, starting_after: 'pi_9' });
  expect(await listOf({}).list({ ...PERIOD, cursor: 'intents:pi_9' })).toEqual({
    payments: [],
    nextCursor: 'refunds:',
  });
  expect(await list({ ...PERIOD, cursor: 'refunds:' })).toEqual({ payments: [], nextCursor: 'disputes:' });
  expect(requests.listRefunds).toHaveBeenLastCalledWith({ created });
  expect(await list({ ...PERIOD, cursor: 'disputes:' })).toEqual({ payments: [], nextCursor: null });
});

it('lists a payment once that has several refunds on a page, and leaves out refunds of what is no payment', async () => {
  const data = [refund('re_1'), refund('re_2', { id: 'pi_1' }), refund('re_3', null)];
  const { list, requests } = listOf({ refunds: { data, has_more: false } });
  const { payments } = await list({ ...PERIOD, cursor: 'refunds:' });
  expect(payments).toMatchObject([
    { key: 'ord_1-1', orderId: 'ord_1', captured: 500, refunds: [{ key: 're_1' }] },
  ]);
  expect(requests.retrieve.mock.calls).toEqual([['pi_1']]);
  expect(requests.refunds).not.toHaveBeenCalled(); // they came with the charge
});

it.each([
  ['has more refunds than came with it', { ...charge, refunds: { ...charge.refunds, has_more: true } }],
  ['came without its refunds', { ...charge, refunds: undefined }],
])('asks for the refunds of a payment that %s', async (_, latest_charge) => {
  const refundsOf = [refund('re_1'), refund('re_2')];
  const { list } = listOf({ intents: { data: [intent({ latest_charge })], has_more: false }, refundsOf });
  expect((await list(PERIOD)).payments).toMatchObject([{ refunds: [{ key: 're_1' }, { key: 're_2' }] }]);
});

it('has the disputes that took money, and no inquiry of a bank', async () => {
  const statuses = ['needs_response', 'under_review', 'won', 'lost', 'warning_needs_response', 'prevented'];
  const disputesOf = statuses.map((status, n) => dispute(`dp_${n}`, status));
  const disputed = intent({ latest_charge: { ...charge, disputed: true } });
  const { list } = listOf({
    disputes: { data: [disputesOf[0]], has_more: false },
    intent: disputed,
    disputesOf,
  });
  const { payments } = await list({ ...PERIOD, cursor: 'disputes:' });
  expect(payments[0]!.disputes.map(({ id, status }) => [id, status])).toEqual([
    ['dp_0', 'opened'],
    ['dp_1', 'opened'],
    ['dp_2', 'won'],
    ['dp_3', 'lost'],
  ]);
});

it.each([
  ['is of another program', { metadata: {} }],
  ['names no order', { metadata: { key: 'ord_1-1', paymentMethod: 'pm_card_visa' } }],
  ['was never confirmed', { status: 'requires_confirmation', amount_received: 0 }],
  ['Stripe has not decided yet', { status: 'processing', amount_received: 0 }],
])('leaves out a payment that %s', async (_, fields) => {
  const { list } = listOf({ intents: { data: [intent(fields), intent()], has_more: false } });
  expect((await list(PERIOD)).payments).toHaveLength(1);
});
