import { setTimeout as delay } from 'node:timers/promises';
import { etagOf } from '../../common/etag';
import { BusinessError } from '../../domain/errors';
import { isCancellable, requireCancellable, type CancelOrder } from '../../domain/closing';
import type { AmendOrder } from '../../domain/amendment';
import {
  unsettled,
  requireUnsettled,
  type ResolveCompensation,
  type RetryCompensation,
} from '../../domain/compensation';
import { madeBefore, type Command, type KeyedCommand } from '../../domain/command';
import type { DeliverFulfillment, FulfillOrder } from '../../domain/fulfillment';
import type { Order } from '../../domain/order';
import { isClosed } from '../../domain/order-transitions';
import { requestOf } from '../../domain/placing';
import type { RefundOrder } from '../../domain/refund';
import { AppError } from '../../errors/app-error';
import type { ErrorCode } from '../../errors/problems';
import type { Principal } from '../../role/principal';
import type { OrderWorkflows } from '../temporal/order-workflows';
import type { CommandDone } from '../../../workflows/contract';
import { businessProblem, orderingUnavailable } from '../temporal/failures';
import { commandBy, fulfillCommand, refundCommand, type Caller, type Content } from '../command-request';
import {
  AMEND,
  ARCHIVE,
  CANCEL,
  DELIVER,
  FULFILL,
  REFUND,
  RESOLVE,
  RETRY,
  type AdditionType,
  type CommandType,
} from './command-types';

/** The order after something was added to it, and whether an earlier request with the key had added it before. */
export interface Addition {
  order: Order;
  isReplay: boolean;
}

export interface OrderCommandsDeps {
  workflows: OrderWorkflows;
  /** @throws {AppError} not_found also when it is somebody else's */
  get(id: string, principal: Principal): Promise<Order>;
  find(id: string): Promise<Order | null>;
}

/** How long an amendment waits until the payment that it replaced is given back. */
const GIVING_BACK_MS = 2_000;

/** What is done to an order after it was placed: its workflow decides, and answers with the order as it is then. */
export function createOrderCommands({ workflows, get, find }: OrderCommandsDeps) {
  async function run<C extends Command>(
    order: Order,
    { update, check, outlives }: CommandType<C>,
    command: C,
  ): Promise<Order | 'late'> {
    // A closed order never opens again, so what it refuses it refuses for ever; Temporal may have forgotten it.
    if (isClosed(order)) refuse(order, () => check(order, command));
    const answer = outlives
      ? await workflows.executeAlways(order, update, command)
      : await workflows.execute(requestOf(order), update, command);
    if (answer === 'late') return answer;
    if (answer !== 'ended') return readDone(order.id, answer);
    const now = (await find(order.id)) ?? order;
    refuse(now, () => check(now, command));
    throw orderingUnavailable(undefined, order.id);
  }

  /** @throws {AppError} service_unavailable when the database went away just now, or knows an older version only */
  async function readDone(id: string, { version }: CommandDone): Promise<Order> {
    const now = await findIfPossible(id);
    if (now && now.version >= version) return now;
    throw new AppError(
      'service_unavailable',
      'It is done, but the order cannot be read at the moment: read it again, and do not repeat the request.',
      { orderId: id },
    );
  }

  /** @throws {AppError} service_unavailable when it is late */
  async function perform<C extends Command>(
    id: string,
    caller: Caller,
    type: CommandType<C>,
    commandOn: (order: Order) => C,
  ): Promise<Order> {
    const order = await get(id, caller.principal);
    const answer = await run(order, type, commandOn(order));
    if (answer === 'late') throw late(id);
    return answer;
  }

  /** A late answer may have been in time all the same: the order tells, since what is added has its id. */
  async function add<C extends KeyedCommand>(
    id: string,
    { principal }: Caller,
    { additions, ...type }: AdditionType<C>,
    commandOn: (order: Order) => C,
    key?: string,
  ): Promise<Addition> {
    const order = await get(id, principal);
    const command = commandOn(order);
    const added = (order: Order) => refuse(order, () => madeBefore(additions(order), command));
    if (added(order)) return { order, isReplay: true };
    const answer = await run(order, type, command);
    const now = answer === 'late' ? await get(id, principal) : answer;
    const addition = added(now);
    if (!addition) throw late(id, key);
    return { order: now, isReplay: addition.attemptId !== command.attemptId };
  }

  async function deliver(id: string, caller: Caller, content: Content<DeliverFulfillment>): Promise<Order> {
    const order = await get(id, caller.principal);
    const command = { ...content, ...commandBy(caller, order) };
    const answer = await run(order, DELIVER, command);
    if (answer !== 'late') return answer;
    const now = await get(id, caller.principal);
    if (!isDelivered(order, command) && isDelivered(now, command)) return now; // just after we stopped waiting
    throw late(id);
  }

  /** What is owed may be done before the word of it comes, above all by a workflow that takes the order up again. */
  async function retryCompensation(
    id: string,
    caller: Caller,
    content: Content<RetryCompensation>,
  ): Promise<Order> {
    const order = await get(id, caller.principal);
    const command = { ...content, ...commandBy(caller, order) };
    refuse(order, () => requireUnsettled(order, command));
    const answer = await run(order, RETRY, command).catch(unless('not_found'));
    if (answer === 'late') throw late(id);
    return answer ?? get(id, caller.principal);
  }

  async function archive(id: string, caller: Caller): Promise<void> {
    const order = await get(id, caller.principal);
    if (order.archivedAt) return;
    const answer = await run(order, ARCHIVE, commandBy(caller, order));
    if (answer === 'late' && !(await get(id, caller.principal)).archivedAt) throw late(id);
  }

  async function cancel(id: string, caller: Caller, { reason }: Content<CancelOrder>): Promise<Order> {
    const order = await get(id, caller.principal);
    const command = { reason, ...commandBy(caller, order) };
    const answer = await run(order, CANCEL, command);
    if (answer !== 'late') return answer;
    const now = await get(id, caller.principal);
    if (wasCancelledBy(now, command.by)) return now; // just after we stopped waiting
    refuse(now, () => requireCancellable(now));
    throw late(id);
  }

  async function amend(id: string, caller: Caller, content: Content<AmendOrder>): Promise<Order> {
    const amendment = (order: Order) => ({ ...content, ...commandBy(caller, order) });
    const amended = await perform(id, caller, AMEND, amendment).catch(async (error: unknown) => {
      throw await withVersionNow(error, id);
    });
    return whenGivenBack(amended);
  }

  /** A refusal that says which version the order had says the one that it has once payments are given back. */
  async function withVersionNow(error: unknown, id: string): Promise<unknown> {
    if (!(error instanceof AppError) || error.headers.ETag === undefined) return error;
    const order = await findIfPossible(id);
    return order ? error.with({ ETag: etagOf((await whenGivenBack(order)).version) }) : error;
  }

  /** The version that the next amendment has to name: giving back a payment raises it, mostly within milliseconds. */
  async function whenGivenBack(order: Order): Promise<Order> {
    let now = order;
    for (const end = Date.now() + GIVING_BACK_MS; unsettled(now).length > 0 && Date.now() < end;) {
      await delay(GIVING_BACK_MS / 20);
      now = (await findIfPossible(order.id)) ?? now;
    }
    return now;
  }

  /** What was decided is decided, and is answered, though the database cannot be reached just then. */
  function findIfPossible(id: string): Promise<Order | null> {
    return find(id).catch(() => null);
  }

  return {
    cancel,
    deliver,
    archive,

    amend,

    /** @param key the Idempotency-Key; without one, every request makes another fulfillment */
    fulfill: (
      id: string,
      caller: Caller,
      content: Content<FulfillOrder>,
      key: string | undefined,
    ): Promise<Addition> =>
      add(id, caller, FULFILL, (order) => fulfillCommand(order, caller, content, key), key),

    refund: (id: string, caller: Caller, content: Content<RefundOrder>, key: string): Promise<Addition> =>
      add(id, caller, REFUND, (order) => refundCommand(order, caller, content, key), key),

    retryCompensation,

    resolveCompensation: (
      id: string,
      caller: Caller,
      content: Content<ResolveCompensation>,
    ): Promise<Order> =>
      perform(id, caller, RESOLVE, (order) => ({ ...content, ...commandBy(caller, order) })),

    /**
     * The payment service has ended the authorisation under that key: an order that was to be paid by it is cancelled.
     * @throws {AppError} service_unavailable when that did not happen yet: tell it again
     */
    async authorizationEnded(orderId: string, paymentKey: string): Promise<void> {
      const order = await find(orderId);
      if (!order || !isCancellable(order)) return;
      const { requestId, version: seenVersion } = order;
      const command = { by: 'system', reason: 'payment_voided', requestId, seenVersion, paymentKey };
      const answer = await run(order, CANCEL, command).catch(unless('invalid_transition'));
      if (answer === 'late') throw late(orderId);
    },
  };
}

/** @throws {AppError} the answer of the API for a BusinessError */
function refuse<T>({ id }: Order, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof BusinessError ? businessProblem(error, id) : error;
  }
}

function unless(code: ErrorCode): (error: unknown) => null {
  return (error) => {
    if (error instanceof AppError && error.code === code) return null;
    throw error;
  };
}

function wasCancelledBy({ statusHistory }: Order, user: string): boolean {
  return statusHistory.some(({ axis, to, by }) => axis === 'status' && to === 'cancelled' && by === user);
}

function isDelivered({ fulfillments }: Order, { fulfillmentId }: DeliverFulfillment): boolean {
  return fulfillments.some(({ id, deliveredAt }) => id === fulfillmentId && deliveredAt !== null);
}

function late(orderId: string, key?: string): AppError {
  const repeat = key
    ? 'repeat the request with the same Idempotency-Key'
    : 'read the order again before you repeat the request';
  return new AppError('service_unavailable', `It was not done in time, and may still be: ${repeat}.`, {
    orderId,
  });
}
