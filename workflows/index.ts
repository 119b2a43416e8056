export { cartsWorkflow } from './carts.workflow';
export { closedOrderWorkflow } from './closed-order.workflow';
export { erasureWorkflow } from './erasure.workflow';
export { janitorWorkflow } from './janitor.workflow';
export { orderWorkflow } from './order.workflow';
export { reconciliationWorkflow } from './reconciliation.workflow';
export { relayWorkflow } from './relay.workflow';
