export { auditLogWorkflow } from './audit-log.workflow';
export { closedOrderWorkflow } from './closed-order.workflow';
export { erasureWorkflow } from './erasure.workflow';
export { janitorWorkflow } from './janitor.workflow';
export { orderWorkflow } from './order.workflow';
export { reconciliationWorkflow } from './reconciliation.workflow';
export { retentionWorkflow } from './retention.workflow';
