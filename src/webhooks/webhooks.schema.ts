import Joi, { type CustomHelpers } from 'joi';
import { isoTimeText } from '../common/dates';
import { idSchema } from '../common/ids';
import { pageQuery, type PageQuery } from '../common/pagination';
import { removableLine } from '../common/text';
import { TYPE_NAMES } from '../domain/events';
import type { DisabledReason } from '../domain/webhook';
import { eventTypeName } from '../events/events.schema';
import type { WebhookSpec } from '../openapi/webhooks';
import { reauthentication } from '../users/users.schema';
import { PING_TYPE } from './delivery';
import type { DeliveryStatus } from './webhooks.model';

/** A webhook endpoint as the API presents it, without its secrets. */
export interface EndpointView {
  id: string;
  url: string;
  description: string | null;
  types: string[];
  status: 'enabled' | 'disabled';
  disabledReason: DisabledReason | null;
  disabledAt: string | null;
  failingSince: string | null;
  replay: ReplayView | null;
  oldSecretUntil: string | null;
  version: number;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
}

/** A replay as the API presents it. */
export interface ReplayView {
  from: string;
  to: string;
  startedAt: string;
  completedAt: string | null;
}

export interface NewEndpointView extends EndpointView {
  secret: string;
}

/** A delivery as the API presents it. */
export interface DeliveryView {
  id: string;
  endpointId: string;
  eventId: string;
  type: string;
  status: DeliveryStatus;
  attempts: number;
  lastAttemptAt: string | null;
  lastStatus: number | null;
  lastError: string | null;
  nextAttemptAt: string | null;
  createdAt: string;
  completedAt: string | null;
}

const MAX_URL = 2_000;
const ENDPOINT_ID = 'whe_01JD3Z7M4Q8XKQ0V5W2N9R6TBC';
const DELIVERY_ID = 'whd_01JD3Z7M4Q8XKQ0V5W2N9R6TBD';
const REASONS: DisabledReason[] = ['by_admin', 'gone', 'failing'];
const STATUSES: DeliveryStatus[] = ['pending', 'succeeded', 'failed'];

const time = Joi.string().isoDate();
const endpointId = idSchema('whe').example(ENDPOINT_ID);
const deliveryId = idSchema('whd').example(DELIVERY_ID);

const deliveryStatus = Joi.string()
  .valid(...STATUSES)
  .meta({ component: 'WebhookDeliveryStatus' });
const endpointStatus = Joi.string().valid('enabled', 'disabled').meta({ component: 'WebhookEndpointStatus' });

/** What of the past is sent again. */
export const replaySchema = Joi.object<ReplayView, true>({
  from: time.required().example('2026-01-14T00:00:00.000Z'),
  to: time.required().example('2026-01-15T00:00:00.000Z'),
  startedAt: time.required().example('2026-01-15T09:00:00.000Z'),
  completedAt: time
    .allow(null)
    .required()
    .description('When there was a delivery of each of the events')
    .example('2026-01-15T09:00:01.000Z'),
}).id('WebhookReplay');

const endpointFields = {
  id: endpointId.required(),
  url: Joi.string().required().example('https://erp.example.com/webhooks'),
  description: Joi.string().allow(null).required().example('The warehouse'),
  types: Joi.array().items(Joi.string()).required().example(['order.confirmed', 'refund.*']),
  status: endpointStatus.required().example('enabled'),
  disabledReason: Joi.string()
    .valid(...REASONS)
    .meta({ component: 'WebhookEndpointDisabledReason' })
    .allow(null)
    .required()
    .description('`gone`: it has answered 410; `failing`: no attempt has succeeded for five days')
    .example(null),
  disabledAt: time.allow(null).required().example(null),
  failingSince: time
    .allow(null)
    .required()
    .description('When the first attempt since the last success has failed')
    .example(null),
  replay: replaySchema
    .allow(null)
    .required()
    .description('What was sent again last, or is being sent again; null if nothing ever was')
    .example(null),
  oldSecretUntil: time
    .allow(null)
    .required()
    .description('Until when the secret before the newest one signs as well')
    .example(null),
  version: Joi.number().integer().required().example(1),
  createdBy: Joi.string()
    .required()
    .description('The id of a user or API key')
    .example('usr_01HZX000000000000000ADM1N0'),
  createdAt: time.required().example('2026-01-15T09:00:00.000Z'),
  updatedAt: time.required().example('2026-01-15T09:00:00.000Z'),
};

export const endpointSchema = Joi.object<EndpointView, true>(endpointFields).id('WebhookEndpoint');

export const newEndpointSchema = Joi.object<NewEndpointView, true>({
  ...endpointFields,
  secret: Joi.string()
    .required()
    .description('Shown only once. Receivers verify the signatures with it')
    .example('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo='),
}).id('CreatedWebhookEndpoint');

export const deliverySchema = Joi.object<DeliveryView, true>({
  id: deliveryId.required(),
  endpointId: endpointId.required(),
  eventId: Joi.string()
    .required()
    .description('The `webhook-id` of the requests')
    .example('evt_ord_0b5f4c1d9a3e7f2608d4c6b8_3'),
  type: Joi.string().required().example('order.confirmed'),
  status: deliveryStatus.required().example('succeeded'),
  attempts: Joi.number().integer().min(0).required().example(1),
  lastAttemptAt: time.allow(null).required().example('2026-01-15T09:00:00.000Z'),
  lastStatus: Joi.number()
    .integer()
    .allow(null)
    .required()
    .description('The HTTP status of the last response; null if there was none')
    .example(200),
  lastError: Joi.string().allow(null).required().description('Why the last attempt has failed').example(null),
  nextAttemptAt: time.allow(null).required().example(null),
  createdAt: time.required().example('2026-01-15T09:00:00.000Z'),
  completedAt: time.allow(null).required().example('2026-01-15T09:00:00.000Z'),
}).id('WebhookDelivery');

/** Who reads what is sent must be the one that it is sent to, so credentials and fragments have no place in it. */
const url = Joi.string()
  .max(MAX_URL)
  .uri({ scheme: ['http', 'https'] })
  .custom((value: string, helpers: CustomHelpers) => {
    if (!URL.canParse(value)) return helpers.error('string.uri');
    const { username, password, hash } = new URL(value);
    return username || password || hash ? helpers.error('url.parts') : value;
  })
  .messages({
    'string.uriCustomScheme': '{#label} must be a URL that begins with https://',
    'url.parts': '{#label} must have neither a user name, nor a password, nor a fragment',
  })
  .meta({ jsonSchema: { pattern: '^https?://' } })
  .description(
    'Where events are sent to. It must be https in production, and its name must lead to the public internet whenever ' +
      'something is sent: redirects are not followed',
  )
  .example('https://erp.example.com/webhooks');

const description = removableLine(200).description('What it is for; null or an empty text removes it');
const types = Joi.array()
  .items(eventTypeName)
  .unique()
  .min(1)
  .max(TYPE_NAMES.length)
  .description('The types of the events that it gets: `order.*` stands for all that begin so, `*` for all')
  .example(['order.confirmed', 'refund.*']);

export interface CreateEndpointBody {
  url: string;
  description?: string | null;
  types: string[];
  currentPassword?: string;
}

export const createEndpointBody = Joi.object<CreateEndpointBody, true>({
  url: url.required(),
  description,
  types: types.required(),
  currentPassword: reauthentication,
}).example({ url: 'https://erp.example.com/webhooks', types: ['order.confirmed', 'refund.*'] });

export interface ChangeEndpointBody extends Partial<CreateEndpointBody> {
  status?: 'enabled' | 'disabled';
}

const CHANGEABLE = ['url', 'description', 'types', 'status'];

export const changeEndpointBody = Joi.object<ChangeEndpointBody, true>({
  url,
  description,
  types,
  status: endpointStatus.description(
    'Once it is enabled, it gets what happens from then on: replay what happened meanwhile',
  ),
  currentPassword: reauthentication,
})
  .or(...CHANGEABLE)
  .meta({ jsonSchema: { anyOf: CHANGEABLE.map((name) => ({ required: [name] })) } })
  .messages({ 'object.missing': '{#label} must have url, description, types or status' })
  .example({ types: ['order.*'] });

export const endpointParams = Joi.object<{ id: string }, true>({ id: endpointId.required() });
export const deliveryParams = Joi.object<{ id: string }, true>({ id: deliveryId.required() });

export const listEndpointsQuery = Joi.object<PageQuery, true>(pageQuery);

export type ListDeliveriesQuery = PageQuery & { status?: DeliveryStatus };

export const listDeliveriesQuery = Joi.object<ListDeliveriesQuery, true>({
  ...pageQuery,
  status: deliveryStatus.description('Only deliveries with this status'),
});

export interface ReplayBody {
  from: string;
  to?: string;
}

export const replayBody = Joi.object<ReplayBody, true>({
  from: isoTimeText().required().description('Events that came into the feed at this time or later'),
  to: isoTimeText().description('And before this one; now, if it is not there'),
}).example({ from: '2026-01-14T00:00:00Z', to: '2026-01-15T00:00:00Z' });

/** What is sent to try an endpoint; it is no event of the feed. */
export interface PingView {
  id: string;
  type: typeof PING_TYPE;
  types: (typeof PING_TYPE)[];
  at: string;
  object: string;
  version: number;
  follows: number | null;
  data: { id: string };
}

const pingType = Joi.string().valid(PING_TYPE).required();

/** Of it, the OpenAPI document tells receivers besides the events. */
export const PING_WEBHOOK: WebhookSpec = {
  name: PING_TYPE,
  summary: 'An ADMIN tries the endpoint',
  body: Joi.object<PingView, true>({
    id: Joi.string().required(),
    type: pingType,
    types: Joi.array().items(pingType).required(),
    at: time.required(),
    object: endpointId.required().description('The id of the endpoint'),
    version: Joi.number().integer().required(),
    follows: Joi.number().integer().allow(null).required(),
    data: Joi.object<PingView['data'], true>({ id: endpointId.required() }).required(),
  }).label('WebhookPing'),
};
