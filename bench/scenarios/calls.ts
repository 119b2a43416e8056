import { randomUUID } from 'node:crypto';
import type { Call } from '../harness/load';
import type { System } from '../harness/system';

/** Returns a request for an order of one piece each. @param url of `POST /orders`, or of a variant */
export function placeCall(system: System, url: string, productServiceIds: readonly string[]): Call {
  return {
    url,
    method: 'POST',
    headers: { ...system.headers('CUSTOMER'), 'Idempotency-Key': randomUUID() },
    body: JSON.stringify({
      items: productServiceIds.map((productServiceId) => ({ productServiceId, quantity: 1 })),
      paymentMethod: 'pm_card_visa',
    }),
  };
}

/** Returns the `data` of a response. */
export function dataOf<T>(body: string): T {
  return (JSON.parse(body) as { data: T }).data;
}

export function anyOf<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)]!;
}
