import { CancellationScope, condition } from '@temporalio/workflow';
import type { OrderRequest } from '../src/domain/order';
import type { OrderPolicy } from './contract';
import { handleClosedOrderCommands } from './order.commands';
import { createOrderSession } from './order.entity';
import { steps } from './order.steps';

/**
 * What happens to an order whose own workflow has ended: refunds, and archiving. It is started by the command, and
 * ends when there is nothing more to do.
 */
export async function closedOrderWorkflow(request: OrderRequest, policy: OrderPolicy): Promise<void> {
  const session = createOrderSession(request, policy);
  // Cancelling it in Temporal must not stop a refund between the payment service and the order.
  await CancellationScope.nonCancellable(async () => {
    const loaded = session.oneAtATime(async () => session.take(await steps.loadOrder(request)));
    handleClosedOrderCommands(session);
    await loaded;
    await condition(() => session.isIdle());
  });
}
