import type { Order } from './order';

const TIMES: ReadonlySet<string> = new Set([
  'at',
  'since',
  'createdAt',
  'updatedAt',
  'deliveredAt',
  'archivedAt',
]);

/** Whether both are one and the same write: a step that is run again after a crash differs by its times alone. */
export function isSameWrite(one: Order, other: Order): boolean {
  return content(one) === content(other);
}

function content(order: Order): string {
  return JSON.stringify(order, (key, value: unknown) => {
    if (TIMES.has(key)) return value === null ? null : 'a time';
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
