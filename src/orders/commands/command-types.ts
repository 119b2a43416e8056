import type { UpdateDefinition } from '@temporalio/common';
import { requireAmendable, type AmendOrder } from '../../domain/amendment';
import {
  requireArchivable,
  requireCancellable,
  type ArchiveOrder,
  type CancelOrder,
} from '../../domain/closing';
import type { Command, KeyedCommand } from '../../domain/command';
import {
  requireUnsettled,
  type ResolveCompensation,
  type RetryCompensation,
} from '../../domain/compensation';
import {
  requireDeliverable,
  requireFulfillable,
  type DeliverFulfillment,
  type FulfillOrder,
} from '../../domain/fulfillment';
import type { Fulfillment, Order, Refund } from '../../domain/order';
import { requireRefundable, type RefundOrder } from '../../domain/refund';
import * as contract from '../../../workflows/contract';

/** How a command reaches the order's workflow, and what it takes. */
export interface CommandType<C extends Command> {
  update: UpdateDefinition<contract.CommandDone, [C]>;
  /** @throws {BusinessError} why it is not possible */
  check(order: Order, command: C): void;
  /** It may happen to an order whose own workflow has ended, too. */
  outlives?: boolean;
}

/** A command that adds something to the order, once for each Idempotency-Key. */
export interface AdditionType<C extends KeyedCommand> extends CommandType<C> {
  additions(order: Order): readonly (Fulfillment | Refund)[];
}

export const AMEND: CommandType<AmendOrder> = { update: contract.amendOrderUpdate, check: requireAmendable };
export const CANCEL: CommandType<CancelOrder> = {
  update: contract.cancelOrderUpdate,
  check: requireCancellable,
};
export const FULFILL: AdditionType<FulfillOrder> = {
  update: contract.fulfillOrderUpdate,
  check: requireFulfillable,
  additions: ({ fulfillments }) => fulfillments,
};
export const DELIVER: CommandType<DeliverFulfillment> = {
  update: contract.deliverFulfillmentUpdate,
  check: requireDeliverable,
};
export const REFUND: AdditionType<RefundOrder> = {
  update: contract.refundOrderUpdate,
  check: requireRefundable,
  outlives: true,
  additions: ({ refunds }) => refunds,
};
export const ARCHIVE: CommandType<ArchiveOrder> = {
  update: contract.archiveOrderUpdate,
  check: requireArchivable,
  outlives: true,
};
export const RETRY: CommandType<RetryCompensation> = {
  update: contract.retryCompensationUpdate,
  check: requireUnsettled,
};
export const RESOLVE: CommandType<ResolveCompensation> = {
  update: contract.resolveCompensationUpdate,
  check: requireUnsettled,
};
