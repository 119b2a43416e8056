import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCaller } from '../../../tools/chaos/clients/caller';
import { calls } from '../../../tools/chaos/clients/calls';
import { createClients } from '../../../tools/chaos/clients/clients';
import { faultOf, outcomeOf, send, type Request } from '../../../tools/chaos/clients/http';
import { make, mannerOf } from '../../../tools/chaos/clients/repeats';
import type { CallLog, Invocation, Return } from '../../../tools/chaos/log';

/** The clients of chaos runs, at an API that answers as each test has it. */
let server: Server;
let baseUrl: string;
let answer: { status: number; body: string; headers?: Record<string, string> };
let asked: { key: unknown; body: string }[];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      asked.push({ key: request.headers['idempotency-key'], body });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
});

const read: Request = { method: 'GET', path: '/orders/ord_1' };

it.each<[string, typeof answer, string | undefined, string]>([
  ['an error in HTML', { status: 500, body: '<h1>Oops</h1>' }, '500 and a body that is not JSON', 'unknown'],
  ['a success in HTML', { status: 200, body: '<h1>Hi</h1>' }, '200 and a body that is not JSON', 'ok'],
  ['a success without data', { status: 200, body: '{}' }, '200 without data', 'ok'],
  ['an internal error', { status: 500, body: '{"code":"internal_error"}' }, '500 internal_error', 'unknown'],
  ['503 without Retry-After', { status: 503, body: '{}' }, '503 without Retry-After', 'unknown'],
  ['503', { status: 503, body: '{}', headers: { 'Retry-After': '1' } }, undefined, 'unknown'],
  ['a success', { status: 200, body: '{"data":{}}' }, undefined, 'ok'],
])('takes %s for what it is', async (_, given, fault, outcome) => {
  answer = given;
  const got = await send(baseUrl, read);
  expect(got.status).toBe(given.status);
  expect(faultOf(got, read)).toEqual(fault === undefined ? undefined : expect.stringContaining(fault));
  expect(outcomeOf(got)).toBe(outcome);
});

/** Keeps what is written. */
function openLog() {
  const invoked: Invocation[] = [];
  const returned: (Return & { id: string })[] = [];
  let now = 0;
  const log: CallLog = {
    now: () => now++,
    invoke: (call) => void invoked.push(call),
    settle: (id, end) => void returned.push({ id, ...end }),
    close: () => Promise.resolve(),
  };
  return { log, invoked, returned };
}

describe('a call', () => {
  const order = { id: 'ord_1', version: 1, items: [] };
  const lines = [{ productId: 'ps_1', quantity: 2 }];
  const callerOf = (client: string, log: CallLog) =>
    createCaller({
      client,
      apis: new Map([['api-1', baseUrl]]),
      log,
      deadline: () => 0,
      onFault: () => undefined,
    });

  it('survives an answer without data', async () => {
    answer = { status: 201, body: '{}' };
    const { log, returned } = openLog();
    await callerOf('a', log).call(calls.place('token', lines, 'pm_card_visa', false));
    expect(returned).toMatchObject([{ outcome: 'ok', status: 201 }]);
  });

  it.each<[Parameters<typeof make>[1], number, number]>([
    ['once', 1, 1],
    ['twice at once', 2, 1],
    ['again', 2, 1],
    ['otherwise', 2, 2],
  ])('that is made %s is %d requests with %d content, and one key', async (manner, requests, contents) => {
    answer = { status: 201, body: JSON.stringify({ data: order }) };
    const { log, invoked } = openLog();
    const callers = { caller: callerOf('a', log), twin: callerOf('a-twin', log), key: 'own' };
    const placing = calls.place('token', lines, 'pm_card_visa', false);
    const { result, repeats } = await make(placing, manner, callers);
    expect([result, ...repeats]).toHaveLength(requests);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
    expect(new Set(asked.map(({ body }) => body)).size).toBe(contents);
    expect(new Set(invoked.map(({ args }) => JSON.stringify(args))).size).toBe(contents);
  });

  it('of a cart, or one that was turned down, is not made with another content', async () => {
    answer = { status: 409, body: '{"code":"out_of_stock"}' };
    const { log } = openLog();
    const callers = { caller: callerOf('a', log), twin: callerOf('a-twin', log), key: 'own' };
    await make(calls.checkOut('token', 'crt_1', 'pm_card_visa'), 'again', callers);
    await make(calls.place('token', lines, 'pm_card_visa', false), 'otherwise', callers);
    expect(asked).toHaveLength(2);
  });
});

it('makes each manner of call now and then', () => {
  const manners = new Set([0, 0.04, 0.06, 0.13, 0.5, 0.99].map(mannerOf));
  expect([...manners].sort()).toEqual(['again', 'once', 'otherwise', 'twice at once']);
});

it.each(['stop', 'an error of one of them'])('ends all clients by %s', async (cause) => {
  answer = { status: 503, body: '{"code":"service_unavailable"}' };
  const { log, invoked } = openLog();
  const rig = { apis: new Map([['api-1', baseUrl]]) };
  const products = ['1', '2', '3', '4'].map((n) => ({ id: `ps_${n}`, sku: n }));
  const shop = { admin: 'admin', customers: ['alice'], products };
  const parties = { customers: 2, staff: 0 };
  const clients = createClients({ rig, shop, log, seed: 1, ...parties, onFault: () => undefined });
  if (cause !== 'stop')
    log.settle = () => {
      throw new Error('no space left');
    };
  clients.start();
  while (invoked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  answer = { status: 409, body: '{"code":"out_of_stock"}' };
  if (cause === 'stop') clients.stop();
  const finished = clients.finish(60_000);
  await (cause === 'stop' ? finished : expect(finished).rejects.toThrow('no space left'));
});

it('makes the same calls of the same seed', async () => {
  answer = { status: 409, body: '{"code":"out_of_stock"}' };
  const shop = {
    admin: 'admin',
    customers: ['alice'],
    products: ['1', '2', '3', '4'].map((n) => ({ id: `ps_${n}`, sku: n })),
  };
  const firstCalls = async (seed: number) => {
    const { log, invoked } = openLog();
    const rig = { apis: new Map([['api-1', baseUrl]]) };
    const onFault = () => undefined;
    const clients = createClients({ rig, shop, log, seed, customers: 1, staff: 0, onFault });
    clients.start();
    while (invoked.length < 5) await new Promise((resolve) => setImmediate(resolve));
    await clients.finish(0);
    return JSON.stringify(invoked.slice(0, 5));
  };
  const [one, same, other] = [await firstCalls(1), await firstCalls(1), await firstCalls(2)];
  expect(same).toBe(one);
  expect(other).not.toBe(one);
});
