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
  /** Deletes the carts of a customer. */
  removeCarts(customerId: string): Promise<void>;
  /** Erases what else is kept of a user whose account is closed. */
  eraseRest(userId: string): Promise<void>;
  /** Makes what Temporal has of the customer's orders unreadable. */
  destroyDataKey(customerId: string): Promise<void>;
}

export type ErasureActivities = ReturnType<typeof createErasureActivities>;

/** Each may run twice: what is erased stays so. */
export function createErasureActivities(deps: ErasureActivityDeps) {
  const { ordersOf, eraseOrder, accounts, guestsOf, removeCarts, eraseRest, destroyDataKey } = deps;

  async function allIdsOf(userId: string): Promise<string[]> {
    return [userId, ...(await guestsOf(userId))];
  }

  async function ordersInTheWay(userId: string): Promise<Order[]> {
    const found: Order[] = [];
    for (const customerId of await allIdsOf(userId)) {
      for await (const page of ordersOf(customerId)) found.push(...page.filter(obstacleOf));
    }
    return found;
  }

  async function eraseCustomer(customerId: string): Promise<{ erased: number; waitsFor: number }> {
    let [erased, waitsFor] = [0, 0];
    for await (const page of ordersOf(customerId)) {
      for (const order of page) {
        heartbeat();
        if (obstacleOf(order)) waitsFor++;
        else if (await eraseOrder(order)) erased++;
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
        .catch((err: unknown) => {
          if (!isNotFound(err)) log.warn('a workflow cannot be deleted', { err, ...workflowExecution });
        });
    }
    return { deleted: ended.length, waitsFor };
  }

  return {
    /** Closes the account, unless orders are open or owe money, or nobody could administer the shop then. */
    async closeAccount(request: ErasureRequest): Promise<ErasureAnswer> {
      const { userId } = request;
      if (await accounts.isClosed(userId)) return { refusal: null }; // by an earlier run of this step
      const refusal = refusalOf(await ordersInTheWay(userId)) ?? (await accounts.close(request));
      log.info(refusal === null ? 'account closed' : 'account not closed');
      return { refusal };
    },

    /** Erases what is kept of the user, but for orders that something stands in the way of: returns how many they are. */
    async eraseData(request: ErasureRequest): Promise<{ waitsFor: number }> {
      const { userId } = request;
      let [erasedOrders, waitsFor] = [0, 0];
      for (const customerId of await allIdsOf(userId)) {
        heartbeat();
        if (customerId !== userId) await accounts.close({ ...request, userId: customerId });
        const done = await eraseCustomer(customerId);
        erasedOrders += done.erased;
        waitsFor += done.waitsFor;
      }
      log.info('personal data erased', { erasedOrders, waitsFor });
      return { waitsFor };
    },

    /**
     * Destroys the key of what Temporal has of the customer's orders, and deletes what was encrypted without it while MongoDB
     * was away. Workflows that are running need the key: returns how many there are, for which it waits.
     */
    async eraseHistories({ userId }: ErasureRequest): Promise<{ waitsFor: number }> {
      let [deleted, waitsFor] = [0, 0];
      for (const customerId of await allIdsOf(userId)) {
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
