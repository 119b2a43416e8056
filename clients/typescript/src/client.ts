import type { Calls } from './operation-types.js';
import { problemOf } from './problem.js';
import { withRetries, type RetryOptions } from './retries.js';
import { createCredentials, type TokenOptions, type Tokens } from './tokens.js';

/** What the client has to know of an operation when it runs; made of the OpenAPI document. */
export interface OperationSpec {
  method: string;
  /** For example `/orders/{id}`. */
  path: string;
  /** Whether it takes an Idempotency-Key, so that it can be repeated. */
  isKeyed?: true;
  /** Whether it can be repeated without one. */
  isRepeatable?: true;
}

export interface ClientOptions extends TokenOptions, RetryOptions {
  /** Where the API is, with its prefix: `https://shop.example/orders-management-system`. */
  baseUrl: string;
  /** Instead of the global one. */
  fetch?: typeof fetch;
}

/** Who calls, beside what the options say. */
export interface SignedIn {
  /** Calls from now on with these tokens, for example those of `login` or `register`. */
  useTokens(tokens: Tokens): void;
  /** Forgets the tokens. To end their session, call `logout`. */
  forgetTokens(): void;
}

/** What a call has, whatever its operation is. */
interface Input {
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
}

interface Result {
  data: unknown;
  meta?: unknown;
  status: number;
  headers: Headers;
  etag?: string;
  isReplayed: boolean;
}

const UNAUTHORIZED = 401;
const KEY = 'Idempotency-Key';
const KEY_BYTES = 16;

/** Returns a client of the operations of a table: `createClient` knows those of this API. */
export function createClientOf<Ops>(
  operations: Readonly<Record<keyof Ops & string, OperationSpec>>,
  { baseUrl, fetch: send = fetch, tokens, onTokens, apiKey, ...retries }: ClientOptions,
): Calls<Ops> & SignedIn {
  const root = baseUrl.replace(/\/+$/, '');

  const exchange = async (spec: OperationSpec, input: Input, token: string | undefined) => {
    const headers = headersOf(input, token);
    const url = root + pathOf(spec.path, input.path) + queryOf(input.query);
    const body = input.body === undefined ? undefined : JSON.stringify(input.body);
    const isRepeatable = headers.has(KEY) || isSafe(spec, headers);
    return withRetries(
      (signal) => send(url, { method: spec.method, headers, body, signal, redirect: 'error' }),
      retries,
      { isRepeatable, signal: input.signal },
    );
  };

  const refresh = async (refreshToken: string): Promise<Required<Tokens> | undefined> => {
    const spec: OperationSpec = { method: 'POST', path: '/auth/refresh' };
    const response = await exchange(spec, { body: { refreshToken } }, undefined);
    if (response.status === UNAUTHORIZED) return undefined;
    if (!response.ok) throw await problemOf(response);
    return ((await response.json()) as { data: Required<Tokens> }).data;
  };
  const credentials = createCredentials({ tokens, onTokens, apiKey }, refresh);

  const call = async (spec: OperationSpec, given: Input = {}): Promise<Result> => {
    const input = spec.isKeyed ? keyed(given) : given;
    const token = credentials.current();
    let response = await exchange(spec, input, token);
    if (response.status === UNAUTHORIZED && token !== undefined) {
      const newer = await credentials.renew(token);
      if (newer !== undefined) response = await exchange(spec, input, newer);
    }
    if (!response.ok) throw await problemOf(response);
    return resultOf(response);
  };

  const calls = Object.fromEntries(
    Object.entries<OperationSpec>(operations).map(([id, spec]) => [id, (input?: Input) => call(spec, input)]),
  );
  return {
    ...(calls as unknown as Calls<Ops>),
    useTokens: (next: Tokens) => credentials.replace(next),
    forgetTokens: () => credentials.replace(undefined),
  };
}

/** One key for all attempts, also with a newer token: what an attempt has done that seemed to fail is not done again. */
function keyed(input: Input): Input {
  return { ...input, headers: { ...input.headers, [KEY]: input.headers?.[KEY] ?? newKey() } };
}

/** Pages without https have no `crypto.randomUUID`. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A change of one version finds another when it is repeated, and would be taken for rejected. */
function isSafe({ method, isRepeatable }: OperationSpec, headers: Headers): boolean {
  return method === 'GET' || (isRepeatable === true && !headers.has('If-Match'));
}

async function resultOf(response: Response): Promise<Result> {
  const { status, headers } = response;
  const shared = {
    status,
    headers,
    etag: headers.get('ETag') ?? undefined,
    isReplayed: headers.get('Idempotent-Replayed') === 'true',
  };
  if (!/\bjson\b/.test(headers.get('Content-Type') ?? '')) {
    const text = await response.text();
    return { ...shared, data: text === '' ? undefined : text };
  }
  const body = (await response.json()) as { data: unknown; meta: unknown };
  const isEnvelope = typeof body === 'object' && 'data' in body && 'meta' in body;
  return isEnvelope ? { ...shared, data: body.data, meta: body.meta } : { ...shared, data: body };
}

function headersOf({ headers = {}, body }: Input, token: string | undefined): Headers {
  const all = new Headers({ Accept: 'application/json' });
  if (body !== undefined) all.set('Content-Type', 'application/json');
  if (token !== undefined) all.set('Authorization', `Bearer ${token}`);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) all.set(name, textOf(value));
  }
  return all;
}

function pathOf(template: string, values: Input['path'] = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === '') throw new TypeError(`The path ${template} needs ${name}.`);
    return encodeURIComponent(value);
  });
}

/** Lists as `a,b`, maps as `metadata[key]=value`. */
function queryOf(values: Input['query'] = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) query.append(name, value.join(','));
    else if (typeof value === 'object' && value !== null)
      for (const [key, one] of Object.entries(value)) query.append(`${name}[${key}]`, textOf(one));
    else query.append(name, textOf(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
