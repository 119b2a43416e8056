import { figuresOf } from '../../src/domain/order-figures';
import type { Order, StatusChange } from '../../src/domain/order';
import { CREATED, LATER, orderIn, refundOf } from './fixtures';

const after = (seconds: number) => new Date(Date.parse(CREATED) + seconds * 1_000).toISOString();
const change = (axis: StatusChange['axis'], from: string | null, to: string, seconds: number) =>
  ({ at: after(seconds), axis, from, to, by: 'system', reason: null }) as StatusChange;
const BEGUN = change('status', null, 'pending', 0);
const history = (...changes: StatusChange[]) => ({ statusHistory: [BEGUN, ...changes] });
const CONFIRMED = change('status', 'pending', 'confirmed', 2);

const pending = orderIn({ status: 'pending', version: 1, total: 2_000, currency: 'EUR', ...history() });
const confirmed: Order = { ...pending, status: 'confirmed', version: 2, ...history(CONFIRMED) };

describe('the figures of an order', () => {
  it('that is placed and confirmed by one write', () => {
    expect(figuresOf(null, confirmed)).toEqual({
      isPlaced: true,
      isConfirmed: true,
      isCancelled: false,
      isCompleted: false,
      rejected: null,
      refunds: 0,
      currency: 'EUR',
      amounts: { placed: 2_000, captured: 0, refunded: 0 },
      confirmedAfterMs: 2_000,
      settledAfterMs: 2_000,
    });
  });

  it('count each thing once, however often the order is written', () => {
    expect(figuresOf(null, pending)).toMatchObject({
      isPlaced: true,
      isConfirmed: false,
      settledAfterMs: null,
    });
    expect(figuresOf(pending, confirmed)).toMatchObject({
      isPlaced: false,
      isConfirmed: true,
      amounts: { placed: 0 },
      settledAfterMs: 2_000,
    });
    const noted: Order = { ...confirmed, version: 3, note: 'Ring twice', updatedAt: LATER };
    expect(figuresOf(confirmed, noted)).toMatchObject({ isConfirmed: false, settledAfterMs: null });
  });

  it('tell why it was rejected, and nothing of money that was never asked for', () => {
    const rejection = { code: 'out_of_stock', detail: 'None left' } as const;
    const rejected = orderIn({
      status: 'rejected',
      version: 1,
      total: 2_000,
      rejection,
      ...history(change('status', 'pending', 'rejected', 1)),
    });
    expect(figuresOf(null, rejected)).toMatchObject({
      isPlaced: false,
      rejected: 'out_of_stock',
      amounts: { placed: 0, captured: 0, refunded: 0 },
      confirmedAfterMs: null,
      settledAfterMs: 1_000,
    });
  });

  it('tell no reason for a rejection that has none', () => {
    const rejected = orderIn({ status: 'rejected', ...history(change('status', 'pending', 'rejected', 1)) });
    expect(figuresOf(null, rejected).rejected).toBeNull();
  });

  it('count one that is completed, and one that is cancelled', () => {
    const end = (to: 'completed' | 'cancelled') =>
      figuresOf(confirmed, {
        ...confirmed,
        version: 3,
        status: to,
        statusHistory: [...confirmed.statusHistory, change('status', 'confirmed', to, 9)],
      });
    expect(end('completed')).toMatchObject({ isCompleted: true, isCancelled: false, settledAfterMs: null });
    expect(end('cancelled')).toMatchObject({ isCompleted: false, isCancelled: true, settledAfterMs: null });
  });

  it('settle it when it is confirmed, not when its payment is authorised', () => {
    const authorized = change('paymentStatus', 'pending', 'authorized', 1);
    expect(figuresOf(null, { ...confirmed, ...history(authorized, CONFIRMED) })).toMatchObject({
      settledAfterMs: 2_000,
    });
  });

  it('settle it when its customer is asked for another card', () => {
    const declined: Order = {
      ...pending,
      version: 2,
      paymentStatus: 'declined',
      ...history(change('paymentStatus', 'pending', 'declined', 3)),
    };
    expect(figuresOf(pending, declined)).toMatchObject({ settledAfterMs: 3_000 });
  });

  it('end the time to settle it when its customer is asked to act', () => {
    const asked: Order = {
      ...pending,
      version: 2,
      paymentStatus: 'action_required',
      ...history(change('paymentStatus', 'pending', 'action_required', 1)),
    };
    const paid: Order = {
      ...asked,
      version: 3,
      status: 'confirmed',
      statusHistory: [...asked.statusHistory, change('status', 'pending', 'confirmed', 600)],
    };
    expect(figuresOf(pending, asked)).toMatchObject({ settledAfterMs: 1_000, confirmedAfterMs: null });
    expect(figuresOf(asked, paid)).toMatchObject({
      isConfirmed: true,
      settledAfterMs: null,
      confirmedAfterMs: null,
    });
  });

  it('add what was captured and refunded since', () => {
    const captured: Order = { ...confirmed, version: 3, captured: 1_500 };
    const refunded: Order = {
      ...captured,
      version: 4,
      refunded: 700,
      refunds: [refundOf(500, 'r1'), refundOf(200, 'r2')],
    };
    expect(figuresOf(confirmed, captured).amounts).toEqual({ placed: 0, captured: 1_500, refunded: 0 });
    expect(figuresOf(captured, refunded)).toMatchObject({
      refunds: 2,
      amounts: { placed: 0, captured: 0, refunded: 700 },
    });
    const failed = { ...refundOf(90, 'r4'), status: 'failed' as const };
    const more: Order = {
      ...refunded,
      version: 5,
      refunded: 760,
      refunds: [...refunded.refunds, refundOf(60, 'r3'), failed],
    };
    expect(figuresOf(refunded, more)).toMatchObject({ refunds: 1, amounts: { captured: 0, refunded: 60 } });
  });
});
