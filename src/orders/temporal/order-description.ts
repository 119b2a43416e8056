import type { OrderRequest } from '../../domain/order';

interface Description {
  staticSummary: string;
  staticDetails: string;
}

/** How the Temporal UI titles an order. Identifiers and quantities only: anyone with access to Temporal reads it. */
export function describeOrder(request: OrderRequest): Description {
  const { customerId, items } = request;
  const units = items.reduce((sum, line) => sum + line.quantity, 0);
  const summary = `${count(items.length, 'line')}, ${count(units, 'unit')}, for ${customerId}`;
  const details = [
    ...items.slice(0, 20).map((line) => `- ${line.quantity} × \`${line.productServiceId}\``),
    ...(items.length > 20 ? [`- and ${count(items.length - 20, 'more line')}`] : []),
  ];
  return { staticSummary: summary, staticDetails: details.join('\n') };
}

/** The same for what happens after the order's own workflow has ended. */
export function describeClosedOrder({ orderId, customerId }: OrderRequest): Description {
  return {
    staticSummary: `After the end of an order for ${customerId}`,
    staticDetails: `Refunds and archiving of order \`${orderId}\` of customer \`${customerId}\``,
  };
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
