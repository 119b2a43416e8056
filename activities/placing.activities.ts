import { log } from '@temporalio/activity';
import { placementAudit } from '../src/domain/order-audit';
import { ORDER_KEY_REUSED, OrderRejected } from '../src/domain/errors';
import { resumedOrder, type PaymentOutcome } from '../src/domain/intention';
import { requireExpectedTotal } from '../src/domain/amendment';
import type { Order, OrderRequest, Pricing } from '../src/domain/order';
import {
  answerOf,
  refusal,
  snapshotOf,
  summaryOf,
  type OrderAnswer,
  type OrderSummary,
  type PlacedAnswer,
} from '../src/domain/order-summary';
import { isReused, openedOrder, rejectedOrder } from '../src/domain/placing';
import { idsOf, priceLines } from '../src/domain/pricing';
import { REJECTION_CODES } from '../src/domain/rejection';
import type { ProductServiceRepository } from '../src/product-service/product-service.repository';
import type { Inline, OrderChanges } from './order-changes';
import type { OrderWriter } from './order-writer';
import type { PaymentTaskCall } from './payments.activities';

export interface PlacingActivityDeps {
  writer: OrderWriter;
  changes: OrderChanges;
  products: Pick<ProductServiceRepository, 'findActiveByIds'>;
}

export type PlacingActivities = ReturnType<typeof createPlacingActivities>;

/** Each may run twice, late, or twice at once: the `_id` and the revision of the order decide which run counts. */
export function createPlacingActivities({ writer, changes, products }: PlacingActivityDeps) {
  /** Saves the order as pending with its stock reserved, or as rejected. Returns the stored one if there is one. */
  async function open(request: OrderRequest): Promise<{ order: Order; isNew: boolean }> {
    const catalogue = await products.findActiveByIds(idsOf(request.items));
    let pricing: Pricing | null = null;
    const auditOf = (order: Order) => placementAudit(request, order);
    const rejectedFor = ({ type, message: detail, existingOrderId }: OrderRejected) => {
      const rejection = { code: REJECTION_CODES[type], detail, ...(existingOrderId && { existingOrderId }) };
      return rejectedOrder(request, pricing, rejection, new Date().toISOString());
    };
    try {
      pricing = priceLines(request.items, catalogue);
      requireExpectedTotal(request, pricing);
    } catch (error) {
      if (!(error instanceof OrderRejected)) throw error;
      const rejected = rejectedFor(error);
      return writer.insert(rejected, () => rejected, auditOf);
    }
    return writer.insert(openedOrder(request, pricing), rejectedFor, auditOf);
  }

  return {
    /** Places the order in one go, as far as everything answers at once: what is left to do is in the answer. */
    async placeOrder(request: OrderRequest, inline: Inline): Promise<PlacedAnswer> {
      const start = performance.now();
      const { order: opened, isNew } = await open(request);
      const openedAt = performance.now();
      const order = isNew ? await changes.payInline(opened, inline) : opened;
      const took = {
        openOrder: Math.round(openedAt - start),
        pay: Math.round(performance.now() - openedAt),
      };
      log.debug('placeOrder done', { status: order.status, ...took });
      return { ...placedAnswer(order, request), isNew, took };
    },

    /** Fetches the product details, computes the totals, reserves the stock and saves the order: all or nothing. */
    async openOrder(request: OrderRequest): Promise<PlacedAnswer> {
      const { order, isNew } = await open(request);
      log.debug('order opened', { status: order.status });
      return { ...placedAnswer(order, request), isNew, took: {} };
    },

    /**
     * Returns what is stored, for a workflow that resumes the order after another one was terminated or reset; null if
     * nothing is stored.
     */
    async resumeOrder({ orderId }: OrderRequest, runId: string): Promise<OrderSummary | null> {
      const order = await writer.change(orderId, (stored, at) => resumedOrder(stored, runId, at));
      log.debug('resumeOrder done', { status: order?.status });
      return order && summaryOf(order);
    },

    /** Returns what is stored. */
    async loadOrder({ orderId }: { orderId: string; requestId: string }): Promise<OrderSummary> {
      return summaryOf(await changes.change(orderId, (order) => order));
    },

    /** Saves the outcome of a call of the payment service, and what it makes of the order. */
    async recordPayment(task: PaymentTaskCall, outcome: PaymentOutcome): Promise<OrderAnswer> {
      const { orderId, operation, commandId } = task;
      const order = await changes.afterPayment(orderId, task, outcome);
      log.debug('payment recorded', { operation, outcome: outcome.state, status: order.status });
      return answerOf(order, commandId ?? '');
    },
  };
}

function placedAnswer(order: Order, request: OrderRequest): Omit<PlacedAnswer, 'isNew' | 'took'> {
  const { version } = order;
  const answered = isReused(order, request)
    ? refusal(order, ORDER_KEY_REUSED)
    : { ...summaryOf(order), answer: { version, error: null } };
  return { ...answered, snapshot: snapshotOf(order) };
}
