export const ORDER_ID = /^ord_[0-9a-f]{32}$/;
export const FULFILLMENT_ID = /^ful_[0-9a-f]{32}$/;

/** How many digits at the end of the id of an order tell whose it is: enough that no two customers share them. */
export const OWNER_DIGITS = 16;

/** Returns the digits in the id of an order that tell whose it is. */
export function ownerIn(orderId: string): string {
  return orderId.slice(-OWNER_DIGITS);
}

/** How the ids of the workflows of orders begin. */
export const WORKFLOW_PREFIX = 'order-';

/** Returns the id of the order that a workflow is for; undefined if it is for something else. */
export function orderIdIn(workflowId: string): string | undefined {
  const id = workflowId.startsWith(WORKFLOW_PREFIX) ? workflowId.slice(WORKFLOW_PREFIX.length) : '';
  return ORDER_ID.test(id) ? id : undefined;
}
