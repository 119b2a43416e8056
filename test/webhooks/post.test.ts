import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readNetwork, type Network } from '../../src/config/webhooks';
import { createAddressFilter } from '../../src/webhooks/addresses';
import { createPost, RefusedAddress, type Resolve } from '../../src/webhooks/post';

const strict = createAddressFilter();
const lenient = createAddressFilter(['127.0.0.0/8', '::1/128'].map(readNetwork) as Network[]);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Listens on the loopback address, and counts connections: who is refused must not even connect. */
async function listen(handler: RequestListener) {
  const server = createServer(handler);
  servers.push(server);
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections };
}

const ok: RequestListener = (_req, res) => res.end();
const to =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses);
const sent = { headers: { 'x-test': 'yes' }, body: '{"id":"evt_é"}' };

it('sends headers and body, and returns the head of the response', async () => {
  let received: object | undefined;
  const { port } = await listen((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      received = { method: req.method, test: req.headers['x-test'], body: Buffer.concat(chunks).toString() };
      res.writeHead(503, { 'Retry-After': '7' }).end('later');
    });
  });
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  const answer = await post(`http://receiver.example:${port}/hooks`, sent.headers, sent.body);
  expect(answer).toEqual({ status: 503, retryAfter: '7' });
  expect(received).toEqual({ method: 'POST', test: 'yes', body: sent.body });
});

it.each([
  ['a loopback address', '127.0.0.1'],
  ['a decimal address', '2130706433'],
  ['an octal address', '0177.0.0.1'],
  ['a hexadecimal address', '0x7f000001'],
  ['a short address', '127.1'],
  ['an IPv6 address', '[::1]'],
  ['an IPv4 address in an IPv6 one', '[::ffff:127.0.0.1]'],
  ['the same in digits', '[::ffff:7f00:1]'],
  ['any address', '0.0.0.0'],
  ['full-width digits', '１２７.０.０.１'],
])('refuses %s in the URL without connecting', async (_kind, host) => {
  const { port, connections } = await listen(ok);
  const post = createPost({ isAllowed: strict });
  await expect(post(`http://${host}:${port}/`, {}, '')).rejects.toThrow(RefusedAddress);
  expect(connections()).toBe(0);
});

it.each([
  ['private', ['10.0.0.1']],
  ['metadata', ['169.254.169.254']],
  ['a private one beside a public one', ['8.8.8.8', '127.0.0.1']],
  ['IPv6 loopback', ['::1']],
])('refuses a name that leads to an address that is %s', async (_kind, addresses) => {
  const { port, connections } = await listen(ok);
  const post = createPost({ isAllowed: strict, resolve: to(...addresses) });
  await expect(post(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow(RefusedAddress);
  expect(connections()).toBe(0);
});

it('refuses localhost', async () => {
  const { port, connections } = await listen(ok);
  for (const host of ['localhost', 'LOCALHOST.', 'app.localhost'])
    await expect(createPost({ isAllowed: strict })(`http://${host}:${port}/`, {}, '')).rejects.toThrow(
      RefusedAddress,
    );
  expect(connections()).toBe(0);
});

it('resolves a name once, and connects to what was checked: rebinding gains nothing', async () => {
  const { port, connections } = await listen(ok);
  let lookups = 0;
  const rebinding: Resolve = () => Promise.resolve([lookups++ === 0 ? '127.0.0.1' : '127.0.0.2']);
  const onlyFirst = createAddressFilter([readNetwork('127.0.0.1/32')!]);
  const post = createPost({ isAllowed: onlyFirst, resolve: rebinding });
  expect(await post(`http://receiver.example:${port}/`, {}, '')).toMatchObject({ status: 200 });
  expect(lookups).toBe(1);
  await expect(post(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow(RefusedAddress);
  expect(connections()).toBe(1);
});

it('follows no redirect', async () => {
  const target = await listen(ok);
  const { port } = await listen((_req, res) =>
    res.writeHead(307, { Location: `http://127.0.0.1:${target.port}/` }).end(),
  );
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  expect(await post(`http://receiver.example:${port}/`, {}, '')).toMatchObject({ status: 307 });
  expect(target.connections()).toBe(0);
});

it('gives up a receiver that says nothing, and one whose name is not resolved in time', async () => {
  const { port } = await listen(() => undefined);
  const silent = createPost({ isAllowed: lenient, resolve: to('127.0.0.1'), timeoutMs: 100 });
  await expect(silent(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow(/abort|timeout/i);
  const unresolved = createPost({
    isAllowed: lenient,
    resolve: () => new Promise<never>(() => undefined),
    timeoutMs: 100,
  });
  await expect(unresolved(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow(/abort|timeout/i);
});

it('does not wait for the body of a response, which may never end', async () => {
  const { port } = await listen((_req, res) => void res.writeHead(200).write('x'));
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  expect(await post(`http://receiver.example:${port}/`, {}, '')).toMatchObject({ status: 200 });
});

it('fails when the connection is closed without a response, or switched to another protocol', async () => {
  const { port } = await listen((req) => req.socket.destroy());
  const upgrading = await listen((req) =>
    req.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  );
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  await expect(post(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow();
  await expect(post(`http://receiver.example:${upgrading.port}/`, {}, '')).rejects.toThrow();
});
