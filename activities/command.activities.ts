import { log } from '@temporalio/activity';
import { commandAudit } from '../src/domain/order-audit';
import { amend, requireAmendable, type AmendOrder } from '../src/domain/amendment';
import { archivedOrder, cancelledOrder, type ArchiveOrder, type CancelOrder } from '../src/domain/closing';
import { matches, withAnswer } from '../src/domain/command';
import {
  requireUnsettled,
  withDone,
  withPending,
  withResolved,
  type CompensationEvent,
  type ResolveCompensation,
} from '../src/domain/compensation';
import { externalRefTaken, ORDER_KEY_REUSED, recordOf, StaleVersion } from '../src/domain/errors';
import {
  correctedOrder,
  deliveredOrder,
  fulfill,
  type CorrectFulfillment,
  type DeliverFulfillment,
  type FulfillOrder,
} from '../src/domain/fulfillment';
import type { Order, OrderRequest } from '../src/domain/order';
import {
  amendedAnswer,
  refusal,
  summaryOf,
  type CheckedAnswer,
  undoneAnswer,
  type OrderAnswer,
  type OrderSummary,
} from '../src/domain/order-summary';
import { overdueOrder } from '../src/domain/overdue';
import { draftOrder, isReused } from '../src/domain/placing';
import { currentPayment, isCurrentPayment, paymentRef } from '../src/domain/order-payment';
import { givenUpOrder, pay, type PayOrder } from '../src/domain/paying';
import { isBeingChanged, type CheckPayment } from '../src/domain/reconciling';
import { idsOf, priceAmendment } from '../src/domain/pricing';
import { refund, type RefundOrder } from '../src/domain/refund';
import { undoneOrder, type UndoFulfillment } from '../src/domain/undoing';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { Addressed, Inline } from './order-changes';
import type { Inspection } from './payment-calls';
import type { PlacingActivityDeps } from './placing.activities';

export interface CommandActivityDeps extends PlacingActivityDeps {
  orders: Pick<OrderRepository, 'findById' | 'findByExternalRef'>;
}

export type CommandActivities = ReturnType<typeof createCommandActivities>;

/**
 * Each loads the order, decides by the rules of the domain, writes on the condition that the order is still as it was,
 * and answers briefly. Each may run twice, late, or twice at once: the order remembers which commands it has answered.
 */
export function createCommandActivities({ orders, writer, changes, products }: CommandActivityDeps) {
  const { carryOut, change } = changes;

  /** Returns the id of the order of the same customer that has the reference, or null. */
  async function ownerOfRef(orderId: string, externalRef: string): Promise<string | null> {
    const order = await orders.findById(orderId);
    return order && orders.findByExternalRef(order.customerId, externalRef);
  }

  return {
    /**
     * Cancels what is open of the order, or the units that the command names, and releases their stock. An order that was
     * never opened is saved as cancelled.
     */
    async cancelOrder(command: Addressed<CancelOrder>, request: OrderRequest): Promise<OrderAnswer> {
      const cancel = (order: Order, at: string) => cancelledOrder(order, command, at);
      let stored = await orders.findById(command.orderId);
      if (!stored) {
        const at = new Date().toISOString();
        const draft = draftOrder(request);
        if (!matches(draft, command)) return refusal(draft, recordOf(new StaleVersion(draft.version)));
        const cancelled = withAnswer(cancel(draft, at), command, null, at);
        const withoutRef = { ...cancelled, externalRef: null };
        const auditOf = (order: Order) => commandAudit(draft, order, command);
        ({ order: stored } = await writer.insert(cancelled, () => withoutRef, auditOf));
      }
      // The workflow of another request has nothing to do with the stored order.
      if (isReused(stored, request)) return refusal(draftOrder(request), ORDER_KEY_REUSED);
      return carryOut(command, cancel);
    },

    /** Prices the new lines, authorises their payment and moves the difference in stock: all or nothing. */
    async amendOrder(command: Addressed<AmendOrder>, inline: Inline): Promise<OrderAnswer> {
      // Asked before anything is authorised; the index decides.
      const taken = command.externalRef ? await ownerOfRef(command.orderId, command.externalRef) : null;
      const { items } = command;
      const catalogue = items ? await products.findActiveByIds(idsOf(items)) : [];
      const decide = (order: Order, at: string): Order => {
        requireAmendable(order, command);
        if (taken && taken !== order.id) throw externalRefTaken(command.externalRef!, taken);
        return amend(order, command, items ? priceAmendment(order, items, catalogue) : null, at);
      };
      return carryOut(command, decide, { ...inline, complete: command.items && amendedAnswer });
    },

    /** Captures the payment or the share of it, and takes what is fulfilled out of the stock. */
    fulfillOrder: (command: Addressed<FulfillOrder>, inline: Inline): Promise<OrderAnswer> =>
      carryOut(command, (order, at) => fulfill(order, command, at), {
        ...inline,
        addedTo: ({ fulfillments }) => fulfillments,
      }),

    deliverFulfillment: (command: Addressed<DeliverFulfillment>): Promise<OrderAnswer> =>
      carryOut(command, (order, at) => deliveredOrder(order, command, at)),

    /** Opens what the fulfillment has shipped again, or replaces what was lost, as far as the stock has it. */
    undoFulfillment: (command: Addressed<UndoFulfillment>): Promise<OrderAnswer> =>
      carryOut(command, (order, at, available) => undoneOrder(order, command, at, available), {
        copesWithShortage: true,
        complete: undoneAnswer,
      }),

    correctFulfillment: (command: Addressed<CorrectFulfillment>): Promise<OrderAnswer> =>
      carryOut(command, (order, at) => correctedOrder(order, command, at)),

    /** Saves that the rest of the order waits longer for a fulfillment than it may, unless it does not. */
    async markOverdue(
      { orderId }: { orderId: string; requestId: string },
      since: string,
    ): Promise<OrderSummary> {
      const order = await change(orderId, (stored, at) => overdueOrder(stored, since, at));
      if (order.overdueSince) log.warn('order overdue', { overdueSince: order.overdueSince });
      return summaryOf(order);
    },

    refundOrder: (command: Addressed<RefundOrder>, inline: Inline): Promise<OrderAnswer> =>
      carryOut(command, (order, at) => refund(order, command, at), {
        ...inline,
        addedTo: ({ refunds }) => refunds,
      }),

    /** Has the order paid with another card. */
    payOrder: (command: Addressed<PayOrder>, inline: Inline): Promise<OrderAnswer> =>
      carryOut(command, (order, at) => pay(order, command, at), inline),

    /**
     * Brings the order in line with the payment service's record of its payment, if it may be asked for from here and
     * comes at once, or if it is given.
     */
    async checkPayment(
      command: Addressed<CheckPayment>,
      { inspected, ...inline }: Inline & { inspected?: Inspection },
    ): Promise<CheckedAnswer> {
      const { orderId, paymentKey } = command;
      const order = await change(orderId, (stored) => stored);
      const isDue =
        isCurrentPayment(order, paymentKey) && order.status !== 'rejected' && !isBeingChanged(order);
      if (!isDue) return { ...summaryOf(order), toInspect: null };
      const payment = paymentRef(order, currentPayment(order));
      const inspection = inspected ?? (await changes.inspectInline(payment, inline));
      if (!inspection) return { ...summaryOf(order), toInspect: payment };
      const checked = await changes.reconcile(order, command, inspection);
      const { status, paymentStatus } = checked;
      log.info('payment checked', { found: inspection.found?.status ?? 'unknown', status, paymentStatus });
      return { ...summaryOf(checked), toInspect: null };
    },

    /** Rejects the order that was not paid with another card until that time, unless it does not wait for one. */
    async giveUpPayment(
      { orderId }: { orderId: string; requestId: string },
      until: string,
    ): Promise<OrderSummary> {
      const order = await change(orderId, (stored, at) => givenUpOrder(stored, until, at));
      log.debug('payment given up', { status: order.status });
      return summaryOf(order);
    },

    archiveOrder: (command: Addressed<ArchiveOrder>): Promise<OrderAnswer> =>
      carryOut(command, (order, at) => archivedOrder(order, command, at)),

    /** Saves how an attempt to settle a compensation ended. */
    async recordCompensation(
      { orderId, step }: { orderId: string; requestId: string; step: string },
      event: CompensationEvent,
    ): Promise<OrderSummary> {
      const order = await change(orderId, (stored, at) =>
        event.state === 'done'
          ? withDone(stored, step, event.wasAuthorized, at)
          : withPending(stored, step, event.failure),
      );
      log.debug('compensation recorded', { step, state: event.state });
      return summaryOf(order);
    },

    /** Saves that an operator has settled a compensation. */
    resolveCompensation: (command: Addressed<ResolveCompensation>): Promise<OrderAnswer> =>
      carryOut(command, (order, at) => {
        requireUnsettled(order, command);
        return withResolved(order, command, at);
      }),
  };
}
