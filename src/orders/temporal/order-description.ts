import { formatAmount } from '../../domain/money';
import type { Order, OrderRequest } from '../../domain/order';
import { orderNumberOf } from '../../domain/order-number';

interface Description {
  staticSummary: string;
  staticDetails: string;
}

const SHOWN_LINES = 20;

type Sum = Pick<Order, 'currency' | 'total'>;

/**
 * Describes an order in the Temporal UI, by identifiers, quantities and amounts only: anyone with access reads it. What it
 * costs is known when it is placed only if the client has named it, without a currency; else the current details say it.
 */
export function describeOrder(request: OrderRequest, stored?: Sum): Description {
  const { orderId, customerId, items } = request;
  const units = items.reduce((sum, line) => sum + line.quantity, 0);
  const details = items
    .slice(0, SHOWN_LINES)
    .map((line) => `- ${line.quantity} × \`${line.productServiceId}\``);
  const more = items.length - SHOWN_LINES;
  if (more > 0) details.push(`- and ${count(more, 'more line')}`);
  return {
    staticSummary: `${orderNumberOf(orderId)}: ${count(items.length, 'line')}, ${count(units, 'unit')}${sumOf(request, stored)}, for ${customerId}`,
    staticDetails: details.join('\n'),
  };
}

/** Describes in the Temporal UI what happens after the order's own workflow has ended. */
export function describeClosedOrder(request: OrderRequest, stored: Sum): Description {
  const { orderId, customerId } = request;
  return {
    staticSummary: `${orderNumberOf(orderId)}: after the end of the order${sumOf(request, stored)}, for ${customerId}`,
    staticDetails: `Refunds and archiving of order \`${orderId}\` of customer \`${customerId}\``,
  };
}

function sumOf(
  { expectedTotal }: OrderRequest,
  { currency, total }: Sum = { currency: null, total: null },
): string {
  if (currency !== null && total !== null) return `, ${formatAmount(total, currency)}`;
  return expectedTotal === undefined ? '' : `, ${expectedTotal} minor units expected`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
