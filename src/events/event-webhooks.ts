import { CART_EVENTS, ORDER_EVENTS, PRODUCT_EVENTS, USER_EVENTS } from '../domain/events';
import type { WebhookSpec } from '../openapi/webhooks';
import {
  cartEventSchema,
  ORDER_EVENT_EXAMPLES,
  orderEventSchema,
  productEventSchema,
  userEventSchema,
} from './events.schema';

const OF = [
  [ORDER_EVENTS, orderEventSchema],
  [PRODUCT_EVENTS, productEventSchema],
  [CART_EVENTS, cartEventSchema],
  [USER_EVENTS, userEventSchema],
] as const;

/** The types of events, with what each says and the body that its receivers get. */
export const EVENT_WEBHOOKS: readonly WebhookSpec[] = OF.flatMap(([types, body]) =>
  Object.entries(types).map(([name, summary]) => ({ name, summary, body, example: exampleOf(name) })),
);

/** An event of an order shows the state that the order is in then, or nothing. */
function exampleOf(name: string): object | null | undefined {
  if (!(name in ORDER_EVENTS)) return undefined;
  return (ORDER_EVENT_EXAMPLES as Record<string, object>)[name] ?? null;
}
