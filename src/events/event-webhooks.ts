import { CART_EVENTS, ORDER_EVENTS, PRODUCT_EVENTS, USER_EVENTS } from '../domain/events';
import type { WebhookSpec } from '../openapi/webhooks';
import { cartEventSchema, orderEventSchema, productEventSchema, userEventSchema } from './events.schema';

const OF = [
  [ORDER_EVENTS, orderEventSchema],
  [PRODUCT_EVENTS, productEventSchema],
  [CART_EVENTS, cartEventSchema],
  [USER_EVENTS, userEventSchema],
] as const;

/** The types of events, with what each says and the body that its receivers get. */
export const EVENT_WEBHOOKS: readonly WebhookSpec[] = OF.flatMap(([types, body]) =>
  Object.entries(types).map(([name, summary]) => ({ name, summary, body })),
);
