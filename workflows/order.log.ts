import { log } from '@temporalio/workflow';
import type { OrderStatus } from '../src/domain/order';
import type { OrderSummary } from '../src/domain/order-summary';
import { INITIAL_STATE } from '../src/domain/order-transitions';
import type { Beginning } from './contract';

const MESSAGES: Readonly<Record<OrderStatus, string>> = {
  pending: 'order opened again',
  confirmed: 'order placed',
  rejected: 'order rejected',
  cancelled: 'order cancelled',
  completed: 'order completed',
};

type Known = Pick<OrderSummary, 'status' | 'awaits' | 'owed'>;

/** Logs the steps of an order that matter, each once: nothing is logged in a replay. */
export function createOrderLog(requestId: string, beginning: Beginning) {
  let known: Known | undefined;

  function logStatus(order: OrderSummary, from: OrderStatus): void {
    const { status, number, paymentStatus, total, currency, rejection } = order;
    if (status === from) return;
    log.info(MESSAGES[status], {
      ...(from === INITIAL_STATE.status && { requestId }),
      number,
      ...(rejection ? { reason: rejection.code } : { paymentStatus, total, currency }),
    });
  }

  return {
    /** Logs what is new of the order. */
    note(order: OrderSummary): void {
      const before: Known =
        known ?? (beginning === 'place' ? { status: INITIAL_STATE.status, owed: [] } : order);
      if (!known && beginning === 'resume') log.info('order resumed', { requestId, status: order.status });
      logStatus(order, before.status);
      const { awaits } = order;
      if (awaits && awaits.paymentKey !== before.awaits?.paymentKey)
        log.info('order waits for its customer', { what: awaits.what, until: awaits.until });
      const owed = new Set(order.owed.map(({ step }) => step));
      for (const { step, state } of before.owed) {
        if (state === 'pending' && !owed.has(step)) log.info('compensation settled', { compensation: step });
      }
      known = order;
    },

    /** Logs that a step keeps failing, and is tried again until it succeeds. */
    delayed: (step: string) => log.warn('order delayed', { requestId, step }),
  };
}
