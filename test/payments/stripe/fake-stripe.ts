import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type Stripe from 'stripe';
import { createStripeClient } from '../../../src/payments/stripe/provider';
import {
  createFakeState,
  FakeError,
  type FakeIntent,
  type FakeRefund,
  type Params,
} from './fake-stripe-state';

/**
 * `before`: the connection breaks and nothing is done; `after`: it is done; `failure`: Stripe answers 500, and again to
 * every repeat; `conflict`: a request with the same key is under way. The SDK itself repeats one broken connection.
 */
export type Fault = 'before' | 'after' | 'failure' | 'conflict';

interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

export interface FakeStripe {
  /** The official client, which talks to it. */
  client: Stripe;
  intents: Map<string, FakeIntent>;
  refunds: FakeRefund[];
  /** Each request, such as `POST /v1/payment_intents/:id/confirm`, with its idempotency key. */
  requests: { route: string; idempotencyKey?: string }[];
  /** The next requests to routes that end like this go wrong. */
  break(route: string, fault: Fault, times?: number): void;
  /** Called when a request to a route that ends like this comes, before it is served. */
  on(route: string, listener: () => Promise<unknown>): void;
  /** A day passes: repeats are new requests. */
  forgetKeys(): void;
  close(): Promise<void>;
}

/**
 * Stripe, as far as we use it, with a memory and with faults (stripe-mock has neither): state machine, idempotency
 * layer and lost replies. The real SDK talks to it over loopback.
 */
export async function startFakeStripe(): Promise<FakeStripe> {
  const state = createFakeState();
  const answers = new Map<string, { request: string; answer: Answer }>();
  const faults: { route: string; fault: Fault }[] = [];
  const listeners: { route: string; listener: () => Promise<unknown> }[] = [];
  const requests: FakeStripe['requests'] = [];

  function serve(method: string, path: string, params: Params): unknown {
    const [, , collection, id, action] = path.split('/');
    if (collection === 'refunds') return method === 'GET' ? state.listRefunds(params) : state.refund(params);
    if (id === undefined) return state.create(params);
    const intent = state.read(id);
    if (action !== undefined) state.actions[action]!(intent, params);
    return intent;
  }

  function answerTo(method: string, path: string, params: Params): Answer & { saved: boolean } {
    try {
      return { status: 200, body: structuredClone(serve(method, path, params)), saved: true };
    } catch (error) {
      if (!(error instanceof FakeError)) throw error;
      return { status: error.status, body: { error: error.error }, saved: error.saved };
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
      fault === 'failure' ? { ...SORRY, saved: true } : answerTo(req.method!, pathname, params);
    const answer = fault === 'conflict' ? CONFLICT : idempotent(idempotencyKey, `${pathname}?${body}`, work);
    if (fault === 'after') return void req.socket.destroy();
    res.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    res.end(JSON.stringify(answer.body));
  }

  function idempotent(
    key: string | undefined,
    request: string,
    work: () => Answer & { saved: boolean },
  ): Answer {
    const known = key === undefined ? undefined : answers.get(key);
    if (known && known.request !== request)
      return error(400, { type: 'idempotency_error', message: 'Keys for idempotent requests can only be …' });
    if (known) return { ...known.answer, headers: { 'idempotent-replayed': 'true' } };
    const { saved, ...answer } = work();
    if (saved && key !== undefined) answers.set(key, { request, answer });
    return answer;
  }

  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    client: createStripeClient('sk_test_fake', { host: '127.0.0.1', port, protocol: 'http' }),
    intents: state.intents,
    refunds: state.refunds,
    requests,
    break: (route, fault, times = 1) => void faults.push(...Array(times).fill({ route, fault })),
    on: (route, listener) => void listeners.push({ route, listener }),
    forgetKeys: () => answers.clear(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const SORRY = error(500, { type: 'api_error', message: 'Sorry.' });
const CONFLICT = error(409, {
  type: 'idempotency_error',
  code: 'idempotency_key_in_use',
  message: 'In use.',
});

/** Takes the first entry for the route out of the list. */
function take<T extends { route: string }>(entries: T[], route: string): T | undefined {
  const index = entries.findIndex((entry) => route.endsWith(entry.route));
  return index === -1 ? undefined : entries.splice(index, 1)[0];
}

function error(status: number, details: { type: string; code?: string; message: string }): Answer {
  return { status, body: { error: details } };
}
