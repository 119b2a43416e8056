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

const MAX_LINES = 5;

/** Returns a function that places an order of 1 to 5 lines. @param url of `POST /orders`, or of a variant */
export function wayToPlace(system: System, url: string, products: readonly string[]): () => Promise<void> {
  return async () => {
    const lines = 1 + Math.floor(Math.random() * MAX_LINES);
    const first = Math.floor(Math.random() * (products.length - lines));
    await system.expect(placeCall(system, url, products.slice(first, first + lines)), 201);
  };
}

/** Returns the `data` of a response. */
export function dataOf<T>(body: string): T {
  return (JSON.parse(body) as { data: T }).data;
}

export function anyOf<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)]!;
}
