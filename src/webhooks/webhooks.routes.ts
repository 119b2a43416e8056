import { etagOf } from '../common/etag';
import { idCursor } from '../common/pagination';
import type { Context } from '../http/context';
import { originOf } from '../http/origin';
import { sendData, sendPage } from '../http/respond';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import type { Delivery } from './deliveries.repository';
import type { Endpoint } from './endpoints.repository';
import { presentDelivery, presentEndpoint, presentReplay } from './webhooks.presenter';
import * as schema from './webhooks.schema';
import type { WebhookService } from './webhooks.service';

const FOR_ADMINS = { role: Role.ADMIN, scope: 'webhooks:write', tag: 'Webhooks' } as const;
const PATH = '/webhook-endpoints';
const ETAG = { ETag: 'The version of the endpoint, for If-Match' };
const endpointCursors = idCursor('whe');
const deliveryCursors = idCursor('whd');

export function webhookRoutes(service: WebhookService): Route[] {
  return [
    createRoute(service),
    listRoute(service),
    readRoute(service),
    changeRoute(service),
    deleteRoute(service),
    rotateRoute(service),
    pingRoute(service),
    replayRoute(service),
    deliveriesRoute(service),
    redeliverRoute(service),
  ];
}

function createRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'post',
    path: PATH,
    operationId: 'createWebhookEndpoint',
    summary: 'Have events sent to a URL',
    description:
      'Only this response shows the secret. Whatever happens from now on is sent by POST with the headers of Standard ' +
      'Webhooks, as the feed has it for ADMINs; `webhook-id` is the id of the event, the same in each attempt. It is as much as ' +
      'reading all events: they can be sent anywhere. Users need their password as `currentPassword`, unless they signed in ' +
      'during the last five minutes.',
    body: schema.createEndpointBody,
    responses: {
      201: {
        description: 'The new endpoint',
        data: schema.newEndpointSchema,
        headers: { ...ETAG, Location: 'The path of the endpoint' },
      },
    },
    errors: ['invalid_transition'],
    async handler(ctx, { body, principal }) {
      const { endpoint, secret } = await service.create(body, principal, originOf(ctx, principal));
      ctx.set('Location', `${ctx.path.replace(/\/+$/, '')}/${endpoint.id}`);
      sendEndpoint(ctx, 201, endpoint, secret);
    },
  });
}

function listRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'get',
    path: PATH,
    operationId: 'listWebhookEndpoints',
    summary: 'List webhook endpoints, newest first',
    query: schema.listEndpointsQuery,
    responses: { 200: { description: 'A page of endpoints', data: schema.endpointSchema, list: true } },
    errors: [],
    async handler(ctx, { query: { limit, cursor } }) {
      const page = await service.list({ limit, after: endpointCursors.read(cursor) });
      sendPage(ctx, page.entries.map(presentEndpoint), { limit, nextCursor: endpointCursors.after(page) });
    },
  });
}

function readRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'get',
    path: `${PATH}/:id`,
    operationId: 'getWebhookEndpoint',
    summary: 'Read a webhook endpoint',
    params: schema.endpointParams,
    responses: { 200: { description: 'The endpoint', data: schema.endpointSchema, headers: ETAG } },
    errors: ['not_found'],
    async handler(ctx, { params: { id } }) {
      sendEndpoint(ctx, 200, await service.read(id));
    },
  });
}

function changeRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'patch',
    path: `${PATH}/:id`,
    operationId: 'changeWebhookEndpoint',
    summary: 'Change, disable or enable a webhook endpoint',
    description:
      'What is under way when it is disabled is given up. For another `url`, users need their password as `currentPassword`, ' +
      'unless they signed in during the last five minutes.',
    params: schema.endpointParams,
    ifMatch: 'optional',
    body: schema.changeEndpointBody,
    responses: { 200: { description: 'The endpoint', data: schema.endpointSchema, headers: ETAG } },
    errors: ['not_found'],
    async handler(ctx, { params: { id }, body, ifMatch, principal }) {
      const on = { versions: ifMatch, principal };
      sendEndpoint(ctx, 200, await service.change(id, body, on, originOf(ctx, principal)));
    },
  });
}

function deleteRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'delete',
    path: `${PATH}/:id`,
    operationId: 'deleteWebhookEndpoint',
    summary: 'Delete a webhook endpoint',
    params: schema.endpointParams,
    ifMatch: 'optional',
    responses: { 204: { description: 'The endpoint is deleted' } },
    errors: ['not_found'],
    async handler(ctx, { params: { id }, ifMatch, principal }) {
      logEndpoint(ctx, id);
      await service.remove(id, ifMatch, originOf(ctx, principal));
      ctx.status = 204;
    },
  });
}

function rotateRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'post',
    path: `${PATH}/:id/rotate-secret`,
    operationId: 'rotateWebhookSecret',
    summary: 'Replace the secret of a webhook endpoint',
    description:
      'Only this response shows the new secret. For a day, the one before it signs as well, so that receivers can be changed ' +
      'meanwhile. To end a secret that has leaked at once, do this twice.',
    params: schema.endpointParams,
    ifMatch: 'optional',
    responses: {
      200: {
        description: 'The endpoint, with the new secret',
        data: schema.newEndpointSchema,
        headers: ETAG,
      },
    },
    errors: ['not_found'],
    async handler(ctx, { params: { id }, ifMatch, principal }) {
      const { endpoint, secret } = await service.rotateSecret(id, ifMatch, originOf(ctx, principal));
      sendEndpoint(ctx, 200, endpoint, secret);
    },
  });
}

function pingRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'post',
    path: `${PATH}/:id/ping`,
    operationId: 'pingWebhookEndpoint',
    summary: 'Try a webhook endpoint',
    description:
      'Sends `webhook.ping` once, also to an endpoint that is disabled. What came of it is in the list of deliveries.',
    params: schema.endpointParams,
    responses: { 202: { description: 'The delivery, which has begun', data: schema.deliverySchema } },
    errors: ['not_found', 'service_unavailable'],
    async handler(ctx, { params: { id } }) {
      sendDelivery(ctx, await service.ping(id));
    },
  });
}

function replayRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'post',
    path: `${PATH}/:id/replay`,
    operationId: 'replayWebhookEvents',
    summary: 'Send the events of a period to a webhook endpoint again',
    description:
      'Sends those that match its types and are still in the feed, oldest first, also those that have arrived: receivers know ' +
      'them by their `webhook-id`. One period at a time: `replay` of the endpoint says how far it is.',
    params: schema.endpointParams,
    idempotency: 'optional',
    body: schema.replayBody,
    responses: {
      202: { description: 'The replay, which has begun', data: schema.replaySchema },
    },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, body, idempotencyKey, principal }) {
      logEndpoint(ctx, id);
      const replay = await service.replay(id, body, idempotencyKey, originOf(ctx, principal));
      sendData(ctx, 202, presentReplay(replay));
    },
  });
}

function deliveriesRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'get',
    path: `${PATH}/:id/deliveries`,
    operationId: 'listWebhookDeliveries',
    summary: 'List the deliveries to a webhook endpoint, newest events first',
    description: 'Deliveries are kept for 30 days.',
    params: schema.endpointParams,
    query: schema.listDeliveriesQuery,
    responses: { 200: { description: 'A page of deliveries', data: schema.deliverySchema, list: true } },
    errors: ['not_found'],
    async handler(ctx, { params: { id }, query: { limit, cursor, status } }) {
      logEndpoint(ctx, id);
      const after = deliveryCursors.read(cursor);
      const page = await service.listDeliveries(id, { status, limit, after });
      sendPage(ctx, page.entries.map(presentDelivery), { limit, nextCursor: deliveryCursors.after(page) });
    },
  });
}

function redeliverRoute(service: WebhookService): Route {
  return route({
    ...FOR_ADMINS,
    method: 'post',
    path: '/webhook-deliveries/:id/redeliver',
    operationId: 'redeliverWebhook',
    summary: 'Deliver an event to its webhook endpoint again',
    description: 'At once, and with all attempts anew, whatever became of the ones before.',
    params: schema.deliveryParams,
    idempotency: 'optional',
    responses: { 202: { description: 'The delivery, which has begun', data: schema.deliverySchema } },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, idempotencyKey, principal }) {
      sendDelivery(ctx, await service.redeliver(id, idempotencyKey, originOf(ctx, principal)));
    },
  });
}

function sendEndpoint(ctx: Context, status: number, endpoint: Endpoint, secret?: string): void {
  logEndpoint(ctx, endpoint.id);
  ctx.set('ETag', etagOf(endpoint.version));
  if (secret !== undefined) ctx.set('Cache-Control', 'no-store');
  sendData(ctx, status, { ...presentEndpoint(endpoint), ...(secret !== undefined && { secret }) });
}

function sendDelivery(ctx: Context, delivery: Delivery): void {
  ctx.state.logFields = { deliveryId: delivery.id, endpointId: delivery.endpointId };
  sendData(ctx, 202, presentDelivery(delivery));
}

function logEndpoint(ctx: Context, id: string): void {
  ctx.state.logFields = { endpointId: id };
}
