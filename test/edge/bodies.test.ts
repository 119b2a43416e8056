import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { openSocket, parseResponse, readAll } from '../support/raw-http';
import { failuresOf, oneOf, validRequest, type Attack } from './attack';
import { openWholeApi, STRIPE_WEBHOOK_SECRET, type WholeApi } from './whole-api';

const TEN_MEGABYTES = 10_000_000;
const DEPTH = 10_000;
const DEEP = {
  arrays: `${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`,
  objects: `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`,
};

let api: WholeApi;
beforeAll(async () => {
  api = await openWholeApi();
});
afterEach(() => api.expectUnchanged());
afterAll(() => api.close());

const bodies = () => api.operations.filter(({ body }) => body !== undefined);

/** Sends one request to every operation with a body. */
function everywhere(what: string, request: Attack['request'], ...statuses: number[]): Promise<string[]> {
  const attacks = bodies().map((target) => ({ target, what, request, objection: oneOf(...statuses) }));
  return failuresOf(attacks, api.tokens.ADMIN);
}

it.each(Object.entries(DEEP))(
  'every operation returns 400 for %s nested 10 000 deep',
  async (_kind, deep) => {
    expect(await everywhere('the whole', { body: deep }, 400)).toEqual([]);
    expect(await everywhere('a field', { body: `{"extra":${deep}}` }, 400)).toEqual([]);
    const first = bodies().map((target): Attack => {
      const [key] = Object.keys(target.example as object);
      return { target, what: key!, request: { body: `{"${key}":${deep}}` }, objection: oneOf(400) };
    });
    expect(await failuresOf(first, api.tokens.ADMIN)).toEqual([]);
  },
);

it('a signed Stripe event with such nesting returns 400, although its unknown fields are allowed', async () => {
  const target = api.operations.find(({ id }) => id === 'receiveStripeEvent')!;
  const attackOf = (extra: string, status: number): Attack => {
    // Events of this type have no effect.
    const event = JSON.stringify({ ...(target.example as object), type: 'customer.created' });
    const body = event.replace(/\}$/, `,"extra":${extra}}`);
    const headers = { 'Stripe-Signature': signatureOf(body) };
    return { target, what: extra.slice(0, 40), request: { body, headers }, objection: oneOf(status) };
  };
  const attacks = [
    ...Object.values(DEEP).map((deep) => attackOf(deep, 400)),
    attackOf('[[[[{"a":[]}]]]]', 200),
  ];
  expect(await failuresOf(attacks)).toEqual([]);
});

it('every operation returns 413 for 10 MB', async () => {
  expect(await everywhere('10 MB', { body: `{"a":"${'x'.repeat(TEN_MEGABYTES)}"}` }, 413)).toEqual([]);
});

it('every operation returns 413 for a small gzip body that expands to 10 MB', async () => {
  const bomb = gzipSync(JSON.stringify({ a: 'x'.repeat(TEN_MEGABYTES) }));
  expect(bomb.length).toBeLessThan(20_000);
  const request = { body: bomb, headers: { 'Content-Encoding': 'gzip' } };
  expect(await everywhere('a bomb', request, 413)).toEqual([]);
});

it('returns 413 before the body if Content-Length is 10 MB', async () => {
  const text = readAll(await begin('Content-Length: 10000000\r\n\r\n'));
  expect(parseResponse(await text)).toMatchObject({
    status: 413,
    headers: { connection: 'close', 'content-type': 'application/problem+json; charset=utf-8' },
    body: expect.stringContaining('"payload_too_large"') as string,
  });
});

it('returns 413 during a chunked body as soon as it is too large', async () => {
  const socket = await begin('Transfer-Encoding: chunked\r\n\r\n');
  const text = readAll(socket);
  for (let chunk = 0; chunk < 11; chunk++) socket.write(`2710\r\n${' '.repeat(10_000)}\r\n`); // 110 kB without an end
  expect(parseResponse(await text)).toMatchObject({ status: 413, headers: { connection: 'close' } });
});

async function begin(rest: string) {
  const target = bodies().find(({ role }) => role === 'PUBLIC')!;
  const { method, path } = validRequest(target);
  const { url } = target;
  const socket = await openSocket(url);
  const { pathname } = new URL(url);
  socket.write(
    `${method} ${pathname}${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${rest}`,
  );
  return socket;
}

function signatureOf(body: string): string {
  const time = Math.floor(Date.now() / 1_000);
  const signature = createHmac('sha256', STRIPE_WEBHOOK_SECRET).update(`${time}.${body}`).digest('hex');
  return `t=${time},v1=${signature}`;
}
