import { Webhook } from 'standardwebhooks';
import { createClientOf, type ClientOptions, type OperationSpec } from '../../clients/typescript/src/client';
import { allOf, follow } from '../../clients/typescript/src/pages';
import { isProblem, problemOf, unreachable } from '../../clients/typescript/src/problem';
import { verifyWebhook, WebhookVerificationError } from '../../clients/typescript/src/webhooks';

/** Operations as `openapi-typescript` describes them. */
interface Operations {
  placeOrder: {
    parameters: { path?: never; query?: never; header: { 'Idempotency-Key': string } };
    requestBody: { content: { 'application/json': { items: string[] } } };
    responses: {
      201: { content: { 'application/json': { data: { id: string }; meta: { requestId: string } } } };
    };
  };
  listOrders: {
    parameters: {
      path?: never;
      query?: { status?: string[]; metadata?: Record<string, string>; cursor?: string };
      header?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        content: {
          'application/json': {
            data: { id: string }[];
            meta: { requestId: string; page: { limit: number; nextCursor: string | null } };
          };
        };
      };
    };
  };
  putCartItem: {
    parameters: { path: { id: string }; query?: never; header?: { 'If-Match'?: string } };
    requestBody: { content: { 'application/json': { quantity: number } } };
    responses: {
      200: { content: { 'application/json': { data: { id: string }; meta: { requestId: string } } } };
    };
  };
  exportOrders: {
    parameters: { path?: never; query?: never; header?: never };
    requestBody?: never;
    responses: { 200: { content: { 'text/csv': string } } };
  };
  login: {
    parameters: { path?: never; query?: never; header?: never };
    requestBody: { content: { 'application/json': { email: string } } };
    responses: {
      200: { content: { 'application/json': { data: { id: string }; meta: { requestId: string } } } };
    };
  };
}

const OPERATIONS: Record<keyof Operations, OperationSpec> = {
  placeOrder: { method: 'POST', path: '/orders', isKeyed: true },
  listOrders: { method: 'GET', path: '/orders' },
  putCartItem: { method: 'PUT', path: '/carts/{id}', isRepeatable: true },
  exportOrders: { method: 'GET', path: '/orders/export.csv' },
  login: { method: 'POST', path: '/auth/login' },
};

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(status, { type: 'urn:x', title: 'X', status, detail: 'What to do.', code, requestId: 'r1' }, headers);
const placed = () => json(201, { data: { id: 'ord_1' }, meta: { requestId: 'r' } }, { ETag: '"2"' });

/** A client of an API that gives these answers one after the other, and the requests that it got. */
function clientOf(answers: (() => Response)[], options: Partial<ClientOptions> = {}) {
  const requests: Request[] = [];
  const send = ((url: string, init: RequestInit) => {
    requests.push(new Request(url, init));
    return new Promise<Response>((resolve) => resolve(answers.shift()!()));
  }) as typeof fetch;
  const client = createClientOf<Operations>(OPERATIONS, {
    baseUrl: 'http://shop.example/prefix/',
    fetch: send,
    ...options,
  });
  const sent = (header: string) => requests.map(({ headers }) => headers.get(header));
  return { client, requests, sent };
}

const lost = (): Response => {
  throw new TypeError('fetch failed');
};
const NOW = { 'Retry-After': '0' };
const place = { body: { items: ['a'] } };

describe('a request of the client', () => {
  it('keeps its Idempotency-Key over what is lost, refused and renewed', async () => {
    const renewed = () => json(200, { data: { accessToken: 'new', refreshToken: 'next' } });
    const kept: unknown[] = [];
    const { client, sent, requests } = clientOf(
      [
        lost,
        () => problem(503, 'service_unavailable', NOW),
        () => problem(401, 'unauthorized'),
        renewed,
        placed,
      ],
      { tokens: { accessToken: 'old', refreshToken: 'once' }, onTokens: (tokens) => kept.push(tokens) },
    );
    const result = await client.placeOrder(place);
    expect(result).toMatchObject({ data: { id: 'ord_1' }, etag: '"2"', status: 201, isReplayed: false });
    const keys = sent('Idempotency-Key').filter((key) => key !== null);
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(1);
    expect(sent('Authorization')).toEqual(['Bearer old', 'Bearer old', 'Bearer old', null, 'Bearer new']);
    expect(requests.map(({ url }) => url.replace('http://shop.example/prefix', ''))).toEqual([
      '/orders',
      '/orders',
      '/orders',
      '/auth/refresh',
      '/orders',
    ]);
    expect(kept).toEqual([{ accessToken: 'new', refreshToken: 'next' }]);
  });

  it('has the key that it is given', async () => {
    const { client, sent } = clientOf([placed]);
    await client.placeOrder({ ...place, headers: { 'Idempotency-Key': 'mine' } });
    expect(sent('Idempotency-Key')).toEqual(['mine']);
  });

  it('is not sent again where a repeat might do it twice, unless it was refused unread', async () => {
    const { client, requests } = clientOf([
      () => problem(429, 'rate_limited', NOW),
      () => problem(503, 'service_unavailable', NOW),
    ]);
    await expect(client.login({ body: { email: 'a' } })).rejects.toMatchObject({
      code: 'service_unavailable',
    });
    expect(requests).toHaveLength(2);
    await expect(clientOf([lost]).client.login({ body: { email: 'a' } })).rejects.toThrow('fetch failed');
  });

  it('is sent again where a repeat is harmless, but not if it is for one version only', async () => {
    const put = { path: { id: 'cart_1' }, body: { quantity: 2 } };
    const repeated = clientOf([lost, placed]);
    await expect(repeated.client.putCartItem(put)).resolves.toMatchObject({ data: { id: 'ord_1' } });
    const { client } = clientOf([lost, placed]);
    await expect(client.putCartItem({ ...put, headers: { 'If-Match': '"1"' } })).rejects.toThrow(
      'fetch failed',
    );
  });

  it('is sent again if the connection breaks within the response, and fails with one code where it cannot be', async () => {
    const broken = () => {
      const begin = (controller: ReadableStreamDefaultController) => {
        controller.enqueue(new TextEncoder().encode('{"data":'));
        controller.error(new TypeError('terminated'));
      };
      return new Response(new ReadableStream({ start: begin }), { status: 201 });
    };
    await expect(clientOf([broken, placed]).client.placeOrder(place)).resolves.toMatchObject({
      data: { id: 'ord_1' },
    });
    const failed = clientOf([broken]).client.login({ body: { email: 'a' } });
    await expect(failed).rejects.toMatchObject({
      name: 'ProblemError',
      code: 'unreachable',
      status: 0,
      cause: new TypeError('terminated'),
    });
  });

  it('gives texts as they are', async () => {
    const csv = () => new Response('a,b\n', { headers: { 'Content-Type': 'text/csv; charset=utf-8' } });
    await expect(clientOf([csv]).client.exportOrders()).resolves.toMatchObject({ data: 'a,b\n' });
  });

  it('waits as long as Retry-After says, but not longer than it may', async () => {
    const { client, requests } = clientOf([() => problem(429, 'rate_limited', { 'Retry-After': '3600' })]);
    await expect(client.listOrders()).rejects.toMatchObject({ code: 'rate_limited', status: 429 });
    expect(requests).toHaveLength(1);
  });

  it('renews a token once for all that find it too old', async () => {
    const page = () => json(200, { data: [], meta: { page: { limit: 20, nextCursor: null } } });
    const old = () => problem(401, 'unauthorized');
    const renewed = () => json(200, { data: { accessToken: 'new', refreshToken: 'next' } });
    const { client, requests } = clientOf([old, old, renewed, page, page], {
      tokens: { accessToken: 'old', refreshToken: 'once' },
    });
    await Promise.all([client.listOrders(), client.listOrders()]);
    expect(requests.filter(({ url }) => url.endsWith('/auth/refresh'))).toHaveLength(1);
  });

  it('fails with one class of problems, whose code tells them apart', async () => {
    const { client } = clientOf([
      () => problem(409, 'out_of_stock'),
      () => new Response('<html>', { status: 400 }),
      () => new Response(null, { status: 304 }),
    ]);
    const error: unknown = await client.placeOrder(place).catch((thrown: unknown) => thrown);
    expect(isProblem(error, 'out_of_stock')).toBe(true);
    expect(isProblem(error, 'not_found')).toBe(false);
    expect(error).toMatchObject({ message: '409 out_of_stock: What to do.', requestId: 'r1' });
    await expect(client.placeOrder(place)).rejects.toMatchObject({
      code: 'unreadable_response',
      status: 400,
    });
    await expect(client.listOrders()).rejects.toMatchObject({ code: 'not_modified', status: 304 });
  });
});

describe('the iterators', () => {
  it('go through all pages, with lists and maps as the API reads them', async () => {
    const pageOf = (id: string, nextCursor: string | null) => () =>
      json(200, { data: [{ id }], meta: { page: { limit: 1, nextCursor } } });
    const { client, requests } = clientOf([pageOf('a', 'c1'), pageOf('b', null)]);
    const ids: string[] = [];
    const query = { status: ['pending', 'confirmed'], metadata: { channel: 'web' } };
    for await (const { id } of allOf((cursor) => client.listOrders({ query: { ...query, cursor } })))
      ids.push(id);
    expect(ids).toEqual(['a', 'b']);
    expect(requests.map(({ url }) => decodeURIComponent(new URL(url).search))).toEqual([
      '?status=pending,confirmed&metadata[channel]=web',
      '?status=pending,confirmed&metadata[channel]=web&cursor=c1',
    ]);
  });

  it('follow the feed from the position that was stored, also through outages', async () => {
    const parts = [
      { data: ['e4', 'e5'], position: 5 },
      { data: [], position: 5 },
      { data: ['e6'], position: 6 },
    ];
    const asked: unknown[] = [];
    const end = new AbortController();
    const outages = [unreachable(new TypeError('fetch failed')), await problemOf(problem(503, 'draining'))];
    const read = async (after: number | undefined) => {
      const outage = after === 5 && outages.pop();
      if (outage) throw outage;
      asked.push(after);
      const { data, position } = parts.shift()!;
      return { data, meta: { feed: { position, latest: 6 } } };
    };
    const seen: unknown[] = [];
    for await (const part of follow(read, { after: 3, signal: end.signal, outageMs: 1 })) {
      seen.push(part);
      if (parts.length === 0) end.abort();
    }
    expect(seen).toEqual([
      { events: ['e4', 'e5'], position: 5 },
      { events: ['e6'], position: 6 },
    ]);
    expect(asked).toEqual([3, 5, 5]);
    expect(outages).toEqual([]);
    const refused = follow(async () => Promise.reject(await problemOf(problem(410, 'position_gone'))));
    await expect(refused.next()).rejects.toMatchObject({ code: 'position_gone' });
  });
});

describe('a webhook', () => {
  const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
  const OTHER_SECRET = `whsec_${Buffer.from('fedcba9876543210fedcba9876543210').toString('base64')}`;
  const NOW_MS = 1_800_000_000_000;
  const BODY = '{"id":"evt_1","type":"order.confirmed","data":{"note":"é"}}';
  const MINUTE_MS = 60_000;
  /** Signed as the library signs it that others who send such webhooks use. */
  const signed = (atMs = NOW_MS, secret = SECRET) => ({
    'Webhook-Id': 'evt_1',
    'Webhook-Timestamp': String(atMs / 1_000),
    'Webhook-Signature': `v1,b2xk v1,%%% ${new Webhook(secret).sign('evt_1', new Date(atMs), BODY)}`,
  });

  it('of the shop gives its event, whichever of the signatures fits', async () => {
    const headers = signed();
    await expect(verifyWebhook({ body: BODY, headers }, SECRET, NOW_MS)).resolves.toMatchObject({
      id: 'evt_1',
    });
    const bytes = { body: Buffer.from(BODY), headers: new Headers(headers) };
    await expect(verifyWebhook(bytes, SECRET, NOW_MS)).resolves.toMatchObject({ type: 'order.confirmed' });
  });

  it.each([
    ['changed', { body: BODY.replace('confirmed', 'rejected'), headers: signed() }],
    ['signed with another secret', { body: BODY, headers: signed(NOW_MS, OTHER_SECRET) }],
    ['old', { body: BODY, headers: signed(NOW_MS - 6 * MINUTE_MS) }],
    ['of the future', { body: BODY, headers: signed(NOW_MS + 6 * MINUTE_MS) }],
    ['not signed', { body: BODY, headers: {} }],
    ['not even text', { body: Buffer.from([0xff, 0xfe]), headers: signed() }],
  ])('that is %s is refused', async (_, request) => {
    await expect(verifyWebhook(request, SECRET, NOW_MS)).rejects.toThrow(WebhookVerificationError);
  });
});
