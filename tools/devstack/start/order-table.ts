import { formatAmount } from '../../../src/domain/money';
import type { Order, OrderItem, StatusChange } from '../../../clients/typescript/src';
import type { WorkflowStep } from './workflow-steps';

/** The fields of an order that the table has. */
export interface ShownOrder extends Pick<Order, 'id' | 'status' | 'currency' | 'subtotal' | 'tax' | 'total'> {
  items: Pick<OrderItem, 'name' | 'quantity' | 'unitPrice' | 'subtotal' | 'tax' | 'total'>[];
  statusHistory: Pick<StatusChange, 'at' | 'axis' | 'from' | 'to' | 'reason'>[];
}

type Row = readonly string[];

/** Returns the steps of an order's workflow, its status changes, and its lines and totals in columns. */
export function orderTable(order: ShownOrder, steps: WorkflowStep[]): string {
  const money = (amount: number | null): string =>
    amount === null || order.currency === null ? '–' : formatAmount(amount, order.currency);
  const changes = order.statusHistory.map(({ at, axis, from, to, reason }): Row => {
    return [axis, `${from ?? '–'} → ${to}${reason ? ` (${reason})` : ''}`, at];
  });
  const lines = order.items.map((item): Row => [
    item.name ?? '',
    String(item.quantity),
    money(item.unitPrice),
    money(item.subtotal),
    money(item.tax),
    money(item.total),
  ]);
  const heading: Row = ['Item', 'Quantity', 'Unit price', 'Subtotal', 'Tax', 'Total'];
  const totals: Row = ['Total', '', '', money(order.subtotal), money(order.tax), money(order.total)];
  return [
    `  ${order.id}  ${order.status}`,
    '',
    ...columns(steps.map(({ name, summary }): Row => [name, summary])),
    ...(steps.length > 0 ? [''] : []),
    ...columns(changes),
    '',
    ...columns([heading, ...lines, totals], 1),
  ].join('\n');
}

/** Pads the cells of each column to one width; columns from `numericFrom` on are right-aligned. */
function columns(rows: Row[], numericFrom = Infinity): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column >= numericFrom ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
