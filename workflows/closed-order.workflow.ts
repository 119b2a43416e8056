import { CancellationScope, condition, setWorkflowOptions } from '@temporalio/workflow';
import type { OrderRequest } from '../src/domain/order';
import type { OrderPolicy } from './contract';
import { handleOutlivingCommands, handleQueries } from './order.commands';
import { createOrderEntity } from './order.entity';
import { PINNED } from './versions';

/**
 * Carries out the commands on an order whose own workflow has ended: refunds, archiving, and looks at its payment. The
 * command starts it, and it ends when there is nothing more to do.
 */
export async function closedOrderWorkflow(request: OrderRequest, policy: OrderPolicy): Promise<void> {
  const order = createOrderEntity(request, policy, 'continue');
  // Cancelling it in Temporal must not stop a refund halfway, between the payment service and the order.
  await CancellationScope.nonCancellable(async () => {
    const begun = order.begin();
    handleOutlivingCommands(order);
    handleQueries(order);
    await begun;
    await condition(order.isIdle);
  });
}

// It ends in seconds, or once the payment service responds; what is left then is in the document, for another run.
setWorkflowOptions({ versioningBehavior: PINNED }, closedOrderWorkflow);
