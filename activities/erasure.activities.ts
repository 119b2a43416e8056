import { getClient, heartbeat, log } from '@temporalio/activity';
import { obstacleOf, refusalOf, type ErasureAnswer, type ErasureRequest } from '../src/domain/erasing';
import type { Order } from '../src/domain/order';
import type { OrderEraser } from './order-eraser';
import { SEARCH_ATTRIBUTES } from '../workflows/contract';

export interface ErasureActivityDeps {
  /** Yields all orders of a customer, archived ones as well, a page at a time. */
  ordersOf(customerId: string): AsyncIterable<readonly Order[]>;
  eraseOrder: OrderEraser;
  accounts: {
    isClosed(userId: string): Promise<boolean>;
    /** Returns why the account cannot be closed, or null. */
    close(request: ErasureRequest): Promise<string | null>;
  };
  /** Returns the ids under which the user has ordered without an account. */
  guestsOf(userId: string): Promise<string[]>;
  /** Gives the account the orders of those who have ordered with its address without an account. */
  takeOverGuests(userId: string): Promise<void>;
  /** Deletes the carts of a customer. */
  removeCarts(customerId: string): Promise<void>;
  /** Erases what else is kept of a user whose account is closed. */
  eraseRest(userId: string): Promise<void>;
  /** Has nothing of the customer's orders encrypted with the key that is to be destroyed. */
  retireDataKey(customerId: string): Promise<void>;
  /** Makes what Temporal has of the customer's orders unreadable. */
  destroyDataKey(customerId: string): Promise<void>;
}

export type ErasureActivities = ReturnType<typeof createErasureActivities>;

/** Each may run twice: what is erased stays so. */
export function createErasureActivities(deps: ErasureActivityDeps) {
  const { ordersOf, eraseOrder, accounts, guestsOf, takeOverGuests, removeCarts } = deps;
  const { eraseRest, retireDataKey, destroyDataKey } = deps;

  async function allIdsOf(userId: string): Promise<string[]> {
    return [userId, ...(await guestsOf(userId))];
  }

  async function ordersInTheWay(userId: string): Promise<Order[]> {
    const found: Order[] = [];
    for (const customerId of await allIdsOf(userId)) {
      for await (const page of ordersOf(customerId)) {
        heartbeat();
        found.push(...page.filter(obstacleOf));
      }
    }
    return found;
  }

  /** Ends the guests that the user is, also those that were taken over while the account was being closed. */
  async function closeGuests(request: ErasureRequest): Promise<void> {
    for (const userId of await guestsOf(request.userId)) {
      heartbeat();
      await accounts.close({ ...request, userId });
      await retireDataKey(userId);
    }
  }

  async function eraseCustomer(customerId: string): Promise<{ erased: number; waitsFor: number }> {
    let [erased, waitsFor] = [0, 0];
    for await (const page of ordersOf(customerId)) {
      for (const order of page) {
        heartbeat();
        const outcome = await eraseOrder(order);
        if (outcome === 'waits') waitsFor++;
        if (outcome === 'erased') erased++;
      }
    }
    await removeCarts(customerId);
    await eraseRest(customerId);
    return { erased, waitsFor };
  }

  /** Returns how many workflows of the customer are running, for which it waits: nothing is erased before they have ended. */
  async function eraseHistoriesOf(customerId: string): Promise<{ deleted: number; waitsFor: number }> {
    const { workflow, workflowService, options } = getClient();
    const ended: { workflowId: string; runId: string }[] = [];
    let waitsFor = 0;
    const query = `${SEARCH_ATTRIBUTES.customerId.name} = '${customerId}'`;
    for await (const { workflowId, runId, status } of workflow.list({ query })) {
      heartbeat();
      if (status.name === 'RUNNING') waitsFor++;
      else ended.push({ workflowId, runId });
    }
    if (waitsFor > 0) return { deleted: 0, waitsFor };
    await destroyDataKey(customerId);
    for (const workflowExecution of ended) {
      heartbeat();
      await workflowService
        .deleteWorkflowExecution({ namespace: options.namespace, workflowExecution })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    }
    return { deleted: ended.length, waitsFor };
  }

  return {
    /** Closes the account, unless orders are open or owe money, or nobody could administer the shop then. */
    async closeAccount(request: ErasureRequest): Promise<ErasureAnswer> {
      const { userId } = request;
      // An earlier run of this step may have closed it, and ended then.
      if (!(await accounts.isClosed(userId))) {
        await takeOverGuests(userId); // of which the account has not known yet
        const refusal = refusalOf(await ordersInTheWay(userId)) ?? (await accounts.close(request));
        log.info(refusal === null ? 'account closed' : 'account not closed');
        if (refusal !== null) return { refusal };
      }
      await closeGuests(request);
      await retireDataKey(userId);
      return { refusal: null };
    },

    /** Erases what is kept of the user, but for orders that something stands in the way of: returns how many they are. */
    async eraseData({ userId }: ErasureRequest): Promise<{ waitsFor: number }> {
      let [erasedOrders, waitsFor] = [0, 0];
      for (const customerId of await allIdsOf(userId)) {
        heartbeat();
        const done = await eraseCustomer(customerId);
        erasedOrders += done.erased;
        waitsFor += done.waitsFor;
      }
      log.info('personal data erased', { erasedOrders, waitsFor });
      return { waitsFor };
    },

    /**
     * Destroys the key of what Temporal has of the customer's orders, and deletes what was encrypted without it while MongoDB
     * was away. Workflows that are running need the key: returns how many there are, for which it waits. Where the namespace
     * does not let workflows be deleted, this step fails until it does.
     */
    async eraseHistories(request: ErasureRequest): Promise<{ waitsFor: number }> {
      await closeGuests(request);
      let [deleted, waitsFor] = [0, 0];
      for (const customerId of await allIdsOf(request.userId)) {
        heartbeat();
        const done = await eraseHistoriesOf(customerId);
        deleted += done.deleted;
        waitsFor += done.waitsFor;
      }
      log.info('histories erased', { deleted, waitsFor });
      return { waitsFor };
    },
  };
}

/** By the code of gRPC. */
function isNotFound(error: unknown): boolean {
  return (error as { code?: number }).code === 5;
}
