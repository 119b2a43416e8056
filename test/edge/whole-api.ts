import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { startServer, type RunningServer } from '../../src/api-server';
import { seed } from '../../src/seed/seed';
import { DEMO_PASSWORD, DEMO_USERS } from '../../src/users/demo-users';
import { testConfig } from '../support/config';
import { dump, openTestDatabase, type TestDatabase } from '../support/database';
import { HANG_MS } from '../support/eventually';
import { untilReady } from '../support/ready';
import { taskQueueEnv } from '../support/task-queues';
import { operationsOf, type Document, type Operation } from './operations';

export const STRIPE_WEBHOOK_SECRET = 'whsec_Zm9yIHRlc3RzIG9ubHk';

/** One server per payment service: Stripe has the webhook, and the sandbox has its switch. */
const PROVIDERS = {
  sandbox: { PAYMENT_PROVIDER: 'sandbox' },
  stripe: { PAYMENT_PROVIDER: 'stripe', STRIPE_WEBHOOK_SECRET },
};

export interface ApiResponse {
  status: number;
  code?: string;
  errors?: { path: string; message: string }[];
}

export interface ApiRequest {
  /** The path with its parameters and the query. */
  path: string;
  method: string;
  token?: string;
  headers?: Record<string, string>;
  /** The raw body, usually JSON. */
  body?: string | Buffer;
}

/** The API as deployed, with the demo data and no worker. Every operation knows the server that has it. */
export interface WholeApi {
  operations: (Operation & { url: string; send(request: ApiRequest): Promise<ApiResponse> })[];
  tokens: { ADMIN: string; CUSTOMER: string };
  /** Fails unless the documents of all collections are those that were there when it was opened. */
  expectUnchanged(): Promise<void>;
  close(): Promise<void>;
}

export async function openWholeApi(): Promise<WholeApi> {
  const db = await openTestDatabase();
  await seed(db.connection, 'test');
  const servers = await Promise.all(Object.values(PROVIDERS).map((env) => start(db, env)));
  const known = new Map<string, WholeApi['operations'][number]>();
  for (const { url } of servers) {
    await untilReady(url);
    const document = (await (await fetch(`${url}/api/openapi.json`)).json()) as Document;
    for (const operation of operationsOf(document)) {
      known.set(operation.id, { ...operation, url, send: (request) => send(url, request) });
    }
  }
  const [admin, customer] = DEMO_USERS;
  const tokens = {
    ADMIN: await logIn(servers[0]!.url, admin!.email),
    CUSTOMER: await logIn(servers[0]!.url, customer!.email),
  };
  const before = await dump(db.connection);
  return {
    operations: [...known.values()],
    tokens,
    expectUnchanged: async () => expect(await dump(db.connection)).toEqual(before),
    async close() {
      await Promise.all(servers.map((server) => server.close()));
      await db.drop();
    },
  };
}

/** Starts a server on a task queue without workers: an order that is accepted there returns 202. */
function start(db: TestDatabase, env: NodeJS.ProcessEnv): Promise<RunningServer> {
  const queue = taskQueueEnv(`test-${randomBytes(8).toString('hex')}`);
  const limits = { SIGN_IN_RATE_LIMIT_MAX: '1000000000' }; // attacks are many, and a 429 would hide what they do
  const timeouts = { PLACE_ORDER_TIMEOUT_MS: '1000', ORDER_COMMAND_TIMEOUT_MS: '1000' };
  const config = testConfig({ PORT: '0', MONGODB_URI: db.uri, ...queue, ...limits, ...timeouts, ...env });
  return startServer(config, pino({ level: 'silent' }));
}

async function logIn(url: string, email: string): Promise<string> {
  const response = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password: DEMO_PASSWORD }),
  });
  const { data } = (await response.json()) as { data: { accessToken: string } };
  return data.accessToken;
}

async function send(url: string, { path, method, token, headers, body }: ApiRequest): Promise<ApiResponse> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body,
    signal: AbortSignal.timeout(HANG_MS),
  });
  const text = await response.text();
  const isJson = response.headers.get('Content-Type')?.includes('json') && text !== '';
  return { ...(isJson ? (JSON.parse(text) as object) : {}), status: response.status };
}
