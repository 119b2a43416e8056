import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import Stripe from 'stripe';
import { createStripeClient } from '../../../src/payments/stripe/provider';
import {
  createFakeState,
  FakeError,
  type FakeDispute,
  type FakeEvent,
  type FakeIntent,
  type FakeRefund,
  type Params,
} from './fake-stripe-state';

/**
 * A fault of a request. `before` and `after`: the connection breaks before or after the request takes effect.
 * `failure`: Stripe returns 500, also to every repeat. `conflict`: a request with the same key is in
 * progress. The SDK itself repeats a request once if its connection breaks.
 */
export type Fault = 'before' | 'after' | 'failure' | 'conflict';

interface FakeResponse {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

export interface FakeStripe {
  /** The official client, connected to this server. */
  client: Stripe;
  intents: Map<string, FakeIntent>;
  refunds: FakeRefund[];
  disputes: FakeDispute[];
  /** What customers, people in the Dashboard, banks and time do. */
  elsewhere: ReturnType<typeof createFakeState>['elsewhere'];
  /** All events in their order, those of our own requests too. */
  events: FakeEvent[];
  /** Sends an event to a webhook, signed as Stripe signs. */
  send(event: FakeEvent, webhook: { url: string; secret: string }): Promise<Response>;
  /** All requests, for example `POST /v1/payment_intents/:id/confirm`, with their idempotency keys. */
  requests: { route: string; idempotencyKey?: string }[];
  /** Gives the next requests to routes with this ending a fault. */
  break(route: string, fault: Fault, times?: number): void;
  /** Calls the listener before the next request to a route with this ending is served. */
  on(route: string, listener: () => Promise<unknown>): void;
  /** Forgets the idempotency keys, as Stripe does after a day. */
  forgetKeys(): void;
  close(): Promise<void>;
}

/**
 * The part of Stripe that we use, with state, idempotency keys and faults, none of which stripe-mock has. The
 * real SDK connects to it over loopback.
 */
export async function startFakeStripe(): Promise<FakeStripe> {
  const state = createFakeState();
  const responses = new Map<string, { request: string; response: FakeResponse }>();
  const faults: { route: string; fault: Fault }[] = [];
  const listeners: { route: string; listener: () => Promise<unknown> }[] = [];
  const requests: FakeStripe['requests'] = [];

  function serve(method: string, path: string, params: Params): unknown {
    const [, , collection, id, action] = path.split('/');
    if (id === undefined && method === 'GET') return state.lists[collection!]!(params);
    if (collection === 'refunds') return state.refund(params);
    if (id === undefined) return state.create(params);
    const intent = state.read(id);
    if (action !== undefined) state.actions[action]!(intent, params);
    return intent;
  }

  function respondTo(
    method: string,
    path: string,
    params: Params,
    idempotencyKey: string | undefined,
  ): FakeResponse & { saved: boolean } {
    state.request.idempotency_key = idempotencyKey ?? null;
    try {
      return { status: 200, body: structuredClone(serve(method, path, params)), saved: true };
    } catch (error) {
      if (!(error instanceof FakeError)) throw error;
      return { status: error.status, body: { error: error.error }, saved: error.saved };
    } finally {
      state.request.idempotency_key = null;
    }
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url!, 'http://stripe');
    const body = await text(req);
    const params = Object.fromEntries(req.method === 'GET' ? searchParams : new URLSearchParams(body));
    const route = `${req.method} ${pathname.replace(/pi_\w+/, ':id')}`;
    const idempotencyKey = req.headers['idempotency-key'] as string | undefined;
    requests.push({ route, idempotencyKey });
    await take(listeners, route)?.listener();
    const fault = take(faults, route)?.fault;
    if (fault === 'before') return void req.socket.destroy();
    const work = () =>
      fault === 'failure'
        ? { ...SORRY, saved: true }
        : respondTo(req.method!, pathname, params, idempotencyKey);
    const response =
      fault === 'conflict' ? CONFLICT : idempotent(idempotencyKey, `${pathname}?${body}`, work);
    if (fault === 'after') return void req.socket.destroy();
    res.writeHead(response.status, { 'content-type': 'application/json', ...response.headers });
    res.end(JSON.stringify(response.body));
  }

  function idempotent(
    key: string | undefined,
    request: string,
    work: () => FakeResponse & { saved: boolean },
  ): FakeResponse {
    const known = key === undefined ? undefined : responses.get(key);
    if (known && known.request !== request)
      return error(400, { type: 'idempotency_error', message: 'Keys for idempotent requests can only be …' });
    if (known) return { ...known.response, headers: { 'idempotent-replayed': 'true' } };
    const { saved, ...response } = work();
    if (saved && key !== undefined) responses.set(key, { request, response });
    return response;
  }

  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    client: createStripeClient('sk_test_fake', { host: '127.0.0.1', port, protocol: 'http' }),
    intents: state.intents,
    refunds: state.refunds,
    disputes: state.disputes,
    elsewhere: state.elsewhere,
    events: state.events,
    send,
    requests,
    break: (route, fault, times = 1) => void faults.push(...Array(times).fill({ route, fault })),
    on: (route, listener) => void listeners.push({ route, listener }),
    forgetKeys: () => responses.clear(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Pretty-printed, as Stripe sends events: the signature depends on the bytes. */
function send(event: FakeEvent, { url, secret }: { url: string; secret: string }): Promise<Response> {
  const body = JSON.stringify(event, null, 2);
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret });
  const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature };
  return fetch(url, { method: 'POST', headers, body });
}

const SORRY = error(500, { type: 'api_error', message: 'Sorry.' });
const CONFLICT = error(409, {
  type: 'idempotency_error',
  code: 'idempotency_key_in_use',
  message: 'In use.',
});

/** Removes and returns the first entry for the route. */
function take<T extends { route: string }>(entries: T[], route: string): T | undefined {
  const index = entries.findIndex((entry) => route.endsWith(entry.route));
  return index === -1 ? undefined : entries.splice(index, 1)[0];
}

function error(status: number, details: { type: string; code?: string; message: string }): FakeResponse {
  return { status, body: { error: details } };
}
