export { closedOrderWorkflow } from './closed-order.workflow';
export { erasureWorkflow } from './erasure.workflow';
export { orderWorkflow } from './order.workflow';
