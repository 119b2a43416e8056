import { formatAmount } from '../../src/domain/money';
import type { Order } from './api-client';

type Row = readonly string[];

/** The steps of an order, then its lines and totals, in plain columns. */
export function orderTable(order: Order): string {
  const money = (amount: number | null): string =>
    amount === null || order.currency === null ? '–' : formatAmount(amount, order.currency);
  const steps = order.statusHistory.map((step): Row => {
    const reason = step.reason ? ` (${step.reason})` : '';
    return [step.at, step.axis, `${step.from ?? '–'} → ${step.to}${reason}`];
  });
  const lines = order.items.map((item): Row => [
    item.name ?? '',
    String(item.quantity),
    money(item.unitPrice),
    money(item.tax),
    money(item.total),
  ]);
  const heading: Row = ['Item', 'Quantity', 'Unit price', 'Tax', 'Total'];
  const totals: Row = ['Total', '', money(order.subtotal), money(order.tax), money(order.total)];
  return [
    `  ${order.id}  ${order.status}`,
    '',
    ...columns(steps),
    '',
    ...columns([heading, ...lines, totals], 1),
  ].join('\n');
}

/** Pads the cells of each column to one width; columns from `numericFrom` on are set flush right. */
function columns(rows: Row[], numericFrom = Infinity): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column >= numericFrom ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
