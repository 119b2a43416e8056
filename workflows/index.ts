export { closedOrderWorkflow } from './closed-order.workflow';
export { orderWorkflow } from './order.workflow';
