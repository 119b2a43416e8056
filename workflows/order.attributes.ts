import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { OrderSummary } from '../src/domain/order-summary';
import { isBeingPlaced } from '../src/domain/paying';
import { SEARCH_ATTRIBUTES } from './contract';

/**
 * Brings the search attributes in line with the order, with one event for all that has changed and none if nothing has. What
 * Temporal has of them is what the run was started with, and what was upserted since: also after `continueAsNew` or a reset.
 */
export function showInAttributes(order: OrderSummary): void {
  const { status, paymentStatus, fulfillmentStatus, currency, total, owed, isOverdue = false } = order;
  const pairs: SearchAttributeUpdatePair[] = [
    { key: SEARCH_ATTRIBUTES.orderStatus, value: status },
    { key: SEARCH_ATTRIBUTES.paymentStatus, value: paymentStatus },
    { key: SEARCH_ATTRIBUTES.fulfillmentStatus, value: fulfillmentStatus },
    { key: SEARCH_ATTRIBUTES.currency, value: currency },
    { key: SEARCH_ATTRIBUTES.orderTotal, value: total },
    { key: SEARCH_ATTRIBUTES.compensationPending, value: owed.some(({ state }) => state === 'pending') },
    { key: SEARCH_ATTRIBUTES.overdue, value: isOverdue },
  ];
  const changed = pairs.filter(isChanged);
  // An order is placed within moments as a rule: its total is not worth an event of its own, it comes with the next one.
  const isOnlyPriced = changed.every(({ key }) => PRICES.has(key.name));
  if (changed.length > 0 && !(isOnlyPriced && isBeingPlaced(order))) upsertSearchAttributes(changed);
}

const PRICES: ReadonlySet<string> = new Set([
  SEARCH_ATTRIBUTES.currency.name,
  SEARCH_ATTRIBUTES.orderTotal.name,
]);

/** Shows that the release of what is reserved keeps failing, before the order can know of it. */
export function showStuckInAttributes(): void {
  const pair = { key: SEARCH_ATTRIBUTES.compensationPending, value: true };
  if (isChanged(pair)) upsertSearchAttributes([pair]);
}

/** One that is absent stands for `false`, or for nothing. */
function isChanged({ key, value }: SearchAttributeUpdatePair): boolean {
  const shown = workflowInfo().typedSearchAttributes.get(key);
  return (shown ?? null) !== (value === false && shown === undefined ? null : value);
}
