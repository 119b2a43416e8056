import Joi from 'joi';
import { idSchema } from '../common/ids';
import { listOf } from '../common/list';
import { pageQuery, type PageQuery } from '../common/pagination';
import {
  CART_EVENTS,
  ORDER_EVENTS,
  PRODUCT_EVENTS,
  TYPE_NAMES,
  USER_EVENTS,
  type OrderEventType,
} from '../domain/events';
import type { OrderLine } from '../domain/order';
import type { OrderView } from '../orders/order-view';
import * as examples from '../orders/schema/example';
import { orderSchema } from '../orders/schema/view';
import { productService, type ProductServiceView } from '../product-service/product-service.schema';
import { user } from '../users/users.schema';
import type { EventUser, EventView } from './events.presenter';
import type { EventCart } from './sources/carts.source';

/** The longest that a request waits for the next event, in seconds. */
export const MAX_WAIT_SECONDS = 20;

const id = Joi.string()
  .required()
  .description('Follows from what it is about and its version, so the same event never has another id');
const position = Joi.number()
  .integer()
  .description('For ADMINs only: its place in the feed, one more than that of the event before it');
const at = Joi.string().isoDate().required().description('When it happened');
const object = Joi.string().required().description('The id of what it is about');
const version = Joi.number()
  .integer()
  .required()
  .description('That of what it is about, after what happened');
const follows = Joi.number()
  .integer()
  .allow(null)
  .required()
  .description(
    'Of an order: the version of its event before; null if it is the first one, and for everything else. Only what happened ' +
      'while MongoDB could not tell any more is told together, and skips versions',
  );

function eventOf(order: OrderView, ...types: OrderEventType[]): EventView<OrderView> {
  const { id: object, version, updatedAt } = order;
  return {
    id: `evt_${object}_${version}`,
    position: 1_234,
    type: types[0]!,
    types,
    at: updatedAt,
    object,
    version,
    follows: version > 1 ? version - 1 : null,
    data: examples.forAdmin(order),
  };
}

const CONFIRMED = eventOf(examples.EXAMPLE_ORDER, 'order.confirmed', 'payment.authorized');
const FULFILLED = eventOf(examples.EXAMPLE_FULFILLED, 'order.fulfilled', 'payment.captured');
const REFUNDED = eventOf(examples.EXAMPLE_REFUNDED, 'refund.succeeded');
const CHALLENGED = eventOf(examples.EXAMPLE_ACTION_REQUIRED, 'payment.action_required');

/** What a stream of the order's events begins with, after the version before. */
export const EXAMPLE_STREAM = [
  'retry: 3000',
  '',
  `id: ${CONFIRMED.version}`,
  `event: ${CONFIRMED.type}`,
  `data: ${JSON.stringify(CONFIRMED)}`,
  '',
  '',
].join('\n');

/** The events of orders of which there is an example. */
export const ORDER_EVENT_EXAMPLES: Readonly<Partial<Record<OrderEventType, object>>> = {
  'order.confirmed': CONFIRMED,
  'payment.authorized': CONFIRMED,
  'order.rejected': eventOf(examples.EXAMPLE_REJECTED, 'order.rejected'),
  'order.cancelled': eventOf(examples.EXAMPLE_CANCELLED_FIRST, 'order.cancelled'),
  'payment.voided': eventOf(examples.EXAMPLE_CANCELLED, 'payment.voided'),
  'order.amended': eventOf(
    { ...examples.EXAMPLE_AMENDED, compensations: [examples.OWED_VOID] },
    'order.amended',
  ),
  'order.fulfilled': FULFILLED,
  'payment.captured': FULFILLED,
  'order.fulfillment_corrected': eventOf(examples.EXAMPLE_CORRECTED, 'order.fulfillment_corrected'),
  'order.fulfillment_undone': eventOf(examples.EXAMPLE_UNDONE, 'order.fulfillment_undone'),
  'order.completed': eventOf(examples.EXAMPLE_COMPLETED, 'order.completed', 'order.delivered'),
  'order.delivered': eventOf(examples.EXAMPLE_COMPLETED, 'order.completed', 'order.delivered'),
  'refund.succeeded': REFUNDED,
  'payment.action_required': CHALLENGED,
};

/** @param component the name of the types among the components of the document */
function fieldsOf(component: string, events: object) {
  const type = Joi.string()
    .valid(...Object.keys(events))
    .meta({ component });
  const types = Joi.array()
    .items(type)
    .required()
    .description('All that happened at once, the most telling first: the last delivery completes an order');
  return { id, position, type: type.required(), types, at, object, version, follows };
}

/** An event of an order, as its webhook and its own feed have it. */
export const orderEventSchema = Joi.object<EventView<OrderView>>({
  ...fieldsOf('OrderEventType', ORDER_EVENTS),
  data: orderSchema.required().description('The order at that version'),
})
  .label('OrderEvent')
  .example(CONFIRMED);

const eventUser = Joi.object<EventUser>({
  id: user.extract('id'),
  role: user.extract('role'),
  status: user.extract('status'),
  createdAt: user.extract('createdAt'),
}).meta({ component: 'EventUser' });

export const productEventSchema = Joi.object<EventView<ProductServiceView>>({
  ...fieldsOf('ProductEventType', PRODUCT_EVENTS),
  data: productService.required().description('The entry at that version, or a later one'),
}).label('ProductEvent');

const eventCart = Joi.object<EventCart, true>({
  id: idSchema('cart').required(),
  customerId: idSchema('usr').required(),
  isGuest: Joi.boolean().required(),
  items: Joi.array()
    .items(
      Joi.object<OrderLine, true>({
        productServiceId: Joi.string().required(),
        quantity: Joi.number().integer().required(),
      }).meta({ component: 'AbandonedCartLine' }),
    )
    .required(),
  abandonedAt: Joi.string().isoDate().required(),
  updatedAt: Joi.string().isoDate().required(),
}).meta({ component: 'AbandonedCart' });

export const cartEventSchema = Joi.object<EventView<EventCart>>({
  ...fieldsOf('CartEventType', CART_EVENTS),
  data: eventCart.required().description('Whose it is and what is in it, and nothing of the person'),
}).label('CartEvent');

export const userEventSchema = Joi.object<EventView<EventUser>>({
  ...fieldsOf('UserEventType', USER_EVENTS),
  data: eventUser.required().description('Who it is, and nothing of the person'),
}).label('UserEvent');

export const eventSchema = Joi.alternatives()
  .try(orderEventSchema, productEventSchema, cartEventSchema, userEventSchema)
  .meta({ component: 'Event' })
  .description('Which it is, its `type` tells')
  .example(CONFIRMED);

/** A type of event, or what stands for several. */
export const eventTypeName = Joi.string()
  .valid(...TYPE_NAMES)
  .meta({ component: 'EventTypeName' });

export interface FeedQuery {
  after?: number;
  types?: string[];
  limit: number;
}

export const feedQuery = Joi.object<FeedQuery, true>({
  after: Joi.number()
    .integer()
    .min(0)
    .description(
      '`meta.feed.position` of the response before; without it, from the oldest event that is kept',
    ),
  types: listOf(eventTypeName.label('types'), TYPE_NAMES.length).description(
    'Only events of which one of the types is among these: `order.confirmed,refund.*`',
  ),
  limit: pageQuery.limit.description('The maximum number of events'),
});

export interface FeedHeaders {
  prefer?: string;
}

export const feedHeaders = Joi.object<FeedHeaders, true>({
  prefer: Joi.string()
    .max(1_000)
    .description(
      `\`wait=20\`: if there is no event, wait up to 20 s for the next one (RFC 7240); ${MAX_WAIT_SECONDS} s at most`,
    ),
});

export type OrderEventsQuery = PageQuery;

export const orderEventsQuery = Joi.object<OrderEventsQuery, true>(pageQuery);

export interface OrderEventsHeaders {
  'last-event-id'?: string;
}

export const orderEventsHeaders = Joi.object<OrderEventsHeaders, true>({
  'last-event-id': Joi.string()
    .pattern(/^\d{1,9}$/)
    .messages({
      'string.pattern.base': '{#label} must be the id of the last event of the stream that you have',
    })
    .description(
      'Of a stream: the `id` of the last event that you have. Browsers send it when they connect again',
    ),
});
