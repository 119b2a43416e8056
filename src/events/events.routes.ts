import Joi from 'joi';
import { decodeCursor, encodeCursor, pageOf } from '../common/pagination';
import { typesNamed } from '../domain/events';
import type { Context } from '../http/context';
import { goneOf, HEARTBEAT_MS, sendEventStream } from '../http/event-stream';
import { preferencesOf } from '../http/prefer';
import { sendFeed, sendPage } from '../http/respond';
import { route, type Identification, type Route } from '../http/route';
import type { OrderService } from '../orders/orders.service';
import { logOrder } from '../orders/routes/responses';
import { orderIdParams } from '../orders/schema/requests';
import type { Principal, UserPrincipal } from '../role/principal';
import { Role } from '../role/role';
import { MAX_WAITING } from './event-watch';
import type { EventPresenter } from './events.presenter';
import {
  EXAMPLE_STREAM,
  eventSchema,
  feedHeaders,
  feedQuery,
  MAX_WAIT_SECONDS,
  orderEventSchema,
  orderEventsHeaders,
  orderEventsQuery,
} from './events.schema';
import type { EventService } from './events.service';

export interface EventRouteDeps {
  service: EventService;
  orders: Pick<OrderService, 'read'>;
  present: EventPresenter;
  /** Identifies guests. */
  guests: Identification;
}

const TAG = 'Events';

export function eventRoutes(deps: EventRouteDeps): Route[] {
  return [feedRoute(deps), orderEventsRoute(deps)];
}

function feedRoute({ service, present }: EventRouteDeps): Route {
  return route({
    method: 'get',
    path: '/events',
    role: Role.ADMIN,
    scope: 'events:read',
    operationId: 'listEvents',
    summary: 'Read what happens in the shop, oldest first',
    description:
      'Every version of every order is one event, and so are changes of the catalogue and of users. Their order is that in ' +
      'which the changes were committed, and `position` has no gaps: a program that stores `meta.feed.position` and reads on from ' +
      'there misses nothing, and gets nothing twice. To begin with what there is, read `meta.feed.latest` first, then list ' +
      'the orders, then read the feed after that position.\n\nEvents are kept for some months: after that, reading on is ' +
      '410 `position_gone`.',
    tag: TAG,
    query: feedQuery,
    headers: feedHeaders,
    responses: {
      200: {
        description: 'The next events, as far as there are any',
        data: eventSchema,
        feed: true,
        optionalHeaders: { 'Preference-Applied': '`wait=…`, if the request prefers it' },
      },
    },
    errors: ['position_gone', 'service_unavailable'],
    async handler(ctx, { query: { limit, after, types }, headers, principal }) {
      const filter = { ...(after !== undefined && { after }), ...(types && { types: typesNamed(types) }) };
      const seconds = waitOf(headers.prefer);
      const page =
        seconds === null
          ? await service.read(filter, limit)
          : await service.readOrWait(filter, limit, seconds * 1_000, {
              callerId: principal.id,
              signal: goneOf(ctx),
            });
      if (seconds !== null) ctx.set('Preference-Applied', `wait=${seconds}`);
      const { events, position, latest } = page;
      const shown = events.map((event) => present(event, principal));
      sendFeed(ctx, shown, { position, latest });
    },
  });
}

/** Returns how long the client wants to wait for the next event, in seconds (RFC 7240, 4.3); null if it does not. */
function waitOf(prefer: string | undefined): number | null {
  const wait = preferencesOf(prefer).get('wait');
  return wait !== undefined && /^\d{1,6}$/.test(wait) ? Math.min(Number(wait), MAX_WAIT_SECONDS) : null;
}

function orderEventsRoute({ service, orders, present, guests }: EventRouteDeps): Route {
  const stream = (ctx: Context, orderId: string, afterVersion: number, principal: Principal) => {
    const waiting = { callerId: principal.id, signal: goneOf(ctx) };
    const events = service.stream(orderId, afterVersion, waiting, () => untilNextLook(principal));
    sendEventStream(ctx, framesOf(events), () => ctx.state.mayGoOn!());
    async function* framesOf(found: typeof events) {
      for await (const some of found) {
        yield some.map((event) => {
          const data = present(event, principal);
          return { id: String(event.version), type: data.type, data };
        });
      }
    }
  };
  return route({
    method: 'get',
    path: '/orders/:id/events',
    role: Role.CUSTOMER,
    scope: 'orders:read',
    identify: guests,
    mayLast: true,
    operationId: 'listOrderEvents',
    summary: 'Read or follow what happens to an order, oldest first',
    description:
      'Each version of the order is one event, which has the order at that version. With `Accept: text/event-stream`, those ' +
      'that come later follow as Server-Sent Events until your token ends: the `id` of each is the version, `event` its ' +
      `type, and \`data\` the event in JSON. At most ${MAX_WAITING} streams of a user can be open on a server. Events are kept ` +
      "for some months; the order's `statusHistory` stays.",
    tag: TAG,
    params: orderIdParams,
    query: orderEventsQuery,
    headers: orderEventsHeaders,
    responses: {
      200: {
        description: 'The events of the order',
        data: orderEventSchema,
        list: true,
        orStream: {
          description: 'Server-Sent Events, of which `data` is an event as in the list',
          example: EXAMPLE_STREAM,
        },
      },
    },
    errors: ['not_found', 'service_unavailable'],
    async handler(ctx, { params: { id }, query: { limit, cursor }, headers, principal }) {
      logOrder(ctx, id);
      const seen = cursor === undefined ? 0 : decodeCursor<[number]>(cursor, CURSOR)[0];
      await orders.read(id, principal);
      ctx.vary('Accept');
      if (ctx.accepts('json', 'text/event-stream') === 'text/event-stream')
        return stream(ctx, id, Number(headers['last-event-id'] ?? seen), principal);
      const { entries, more } = pageOf(await service.history(id, seen, limit + 1), limit);
      const nextCursor = more ? encodeCursor([entries.at(-1)!.version]) : null;
      const shown = entries.map((event) => present(event, principal));
      sendPage(ctx, shown, { limit, nextCursor });
    },
  });
}

const CURSOR = Joi.array().ordered(Joi.number().integer().min(0)).length(1);

/** A stream ends with the token with which it began. */
function untilNextLook(principal: Principal): number {
  const { expiresAt = Infinity } = principal as Partial<UserPrincipal>;
  return Math.max(0, Math.min(HEARTBEAT_MS, expiresAt * 1_000 - Date.now()));
}
