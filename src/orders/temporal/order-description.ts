import type { OrderRequest } from '../../domain/order';
import { orderNumberOf } from '../../domain/order-number';

interface Description {
  staticSummary: string;
  staticDetails: string;
}

const SHOWN_LINES = 20;

/** Describes an order in the Temporal UI, by identifiers and quantities only: anyone with access reads it. */
export function describeOrder({ orderId, customerId, items }: OrderRequest): Description {
  const units = items.reduce((sum, line) => sum + line.quantity, 0);
  const details = items
    .slice(0, SHOWN_LINES)
    .map((line) => `- ${line.quantity} × \`${line.productServiceId}\``);
  const more = items.length - SHOWN_LINES;
  if (more > 0) details.push(`- and ${count(more, 'more line')}`);
  return {
    staticSummary: `${orderNumberOf(orderId)}: ${count(items.length, 'line')}, ${count(units, 'unit')}, for ${customerId}`,
    staticDetails: details.join('\n'),
  };
}

/** Describes in the Temporal UI what happens after the order's own workflow has ended. */
export function describeClosedOrder({ orderId, customerId }: OrderRequest): Description {
  return {
    staticSummary: `${orderNumberOf(orderId)}: after the end of the order for ${customerId}`,
    staticDetails: `Refunds and archiving of order \`${orderId}\` of customer \`${customerId}\``,
  };
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
