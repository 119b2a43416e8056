import { TIME_FIELDS, type Order } from './order';

const TIMES: ReadonlySet<string> = new Set(TIME_FIELDS);

/**
 * Returns whether both are the same write: a step that runs again after a crash differs in its times only.
 */
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
