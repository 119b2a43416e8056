import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readNetwork, type Network } from '../../src/config/webhooks';
import { createAddressFilter } from '../../src/webhooks/addresses';
import { createPost, RefusedAddress, resolveWith, type Resolve } from '../../src/webhooks/post';
import { createAuthority } from '../support/certificates';
import { openDns } from '../support/dns';
import { eventually } from '../support/eventually';

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
  ['an address with a final dot', '127.0.0.1.'],
  ['an address in percent-encoding', '%31%32%37.0.0.1'],
  ['an address of NAT64', '[64:ff9b::7f00:1]'],
  ['an address of 6to4', '[2002:7f00:1::]'],
  ['a link-local address', '[fe80::1]'],
  ['an IPv4-compatible address', '[::7f00:1]'],
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
  ['private, in an IPv6 address', ['::ffff:10.0.0.1']],
  ['private, by NAT64', ['64:ff9b::a00:1']],
  ['private, by 6to4', ['2002:a00:1::']],
  ['link-local, with a zone', ['fe80::1%eth0']],
])('refuses a name that leads to an address that is %s', async (_kind, addresses) => {
  const { port, connections } = await listen(ok);
  const post = createPost({ isAllowed: strict, resolve: to(...addresses) });
  await expect(post(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow(RefusedAddress);
  expect(connections()).toBe(0);
});

it.each(['http://[fe80::1%25lo]/', 'http://[::1%lo]/'])('takes no zone: %s is no URL', async (url) => {
  await expect(createPost({ isAllowed: lenient })(url, {}, '')).rejects.toThrow('Invalid URL');
});

it.each([22, 25, 53, 993])('refuses port %i, where another protocol is spoken', async (port) => {
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  await expect(post(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow(RefusedAddress);
});

it('says nothing of an address that it has refused: names inside are no matter of those who make endpoints', async () => {
  const post = createPost({ isAllowed: strict, resolve: to('10.1.2.3') });
  await expect(post('http://db.internal/', {}, '')).rejects.toThrow(/^(?!.*10\.1\.2\.3)/);
});

it('sends nothing to a server whose certificate is not of the name', async () => {
  const authority = createAuthority();
  const { certificate: cert, key } = authority.issue('other.example');
  let requests = 0;
  const server = createSecureServer({ cert, key }, (_req, res) => (requests++, res.end()));
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  await expect(post(`https://receiver.example:${port}/`, {}, '')).rejects.toThrow();
  expect(requests).toBe(0);
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

it.each([
  ['a status line', 'HTTP/1.1 200'],
  ['headers', 'HTTP/1.1 200 OK\r\nX-Slow: '],
  ['interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
])('gives up a receiver that sends %s without end', async (_kind, beginning) => {
  const { port } = await listen(({ socket }) => {
    socket.write(beginning);
    const more = setInterval(() => socket.write(beginning.endsWith('\r\n\r\n') ? beginning : '1'), 10);
    socket.on('close', () => clearInterval(more));
  });
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1'), timeoutMs: 200 });
  await expect(post(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow();
});

it('gives up a receiver whose headers are too large', async () => {
  const { port } = await listen(({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`));
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  await expect(post(`http://receiver.example:${port}/`, {}, '')).rejects.toThrow(/overflow/i);
});

it('reads nothing of the body of a response', async () => {
  let isCut = false;
  const { port } = await listen((_req, res) => {
    res.writeHead(200);
    const more = setInterval(() => res.write(Buffer.alloc(65_536)), 1);
    res.on('close', () => {
      isCut = true;
      clearInterval(more);
    });
  });
  const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
  expect(await post(`http://receiver.example:${port}/`, {}, '')).toMatchObject({ status: 200 });
  await eventually(async () => expect(isCut).toBe(true));
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

describe('with the answers of a DNS server', () => {
  const LOOPBACK = { A: Buffer.from([127, 0, 0, 1]), AAAA: Buffer.from([...Array(15).fill(0), 1]) };
  const postBy = async (
    name: string,
    records: Parameters<typeof openDns>[0][string] | undefined,
    path: string,
  ) => {
    const dns = await openDns(records ? { [name]: records } : {});
    const post = createPost({ isAllowed: lenient, resolve: resolveWith(dns.resolver) });
    return post(`http://${name}:${path}`, {}, '').finally(dns.close);
  };

  it.each([
    ['only an IPv4 address', { A: LOOPBACK.A }],
    ['both, of which only IPv4 answers', LOOPBACK],
  ])('sends to a name that has %s', async (_what, records) => {
    const { port, connections } = await listen(ok);
    expect(await postBy('shop.example', records, `${port}/`)).toMatchObject({ status: 200 });
    expect(connections()).toBe(1);
  });

  it('says that a name does not exist', async () => {
    await expect(postBy('gone.example', undefined, '8080/')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('survives a name that only leads to another one without an address', async () => {
    const CNAME = Buffer.from('\x04none\x07example\0', 'latin1');
    await expect(postBy('alias.example', { CNAME }, '8080/')).rejects.toThrow('has no address');
  });

  it('refuses a name of which one address is inside', async () => {
    const { port, connections } = await listen(ok);
    const records = { A: LOOPBACK.A, AAAA: Buffer.from([0xfe, 0x80, ...Array(13).fill(0), 1]) };
    await expect(postBy('shop.example', records, `${port}/`)).rejects.toThrow(RefusedAddress);
    expect(connections()).toBe(0);
  });

  it('sends to localhost without a question, where that is allowed', async () => {
    const { port } = await listen(ok);
    expect(await postBy('localhost', undefined, `${port}/`)).toMatchObject({ status: 200 });
  });
});

describe('the span of a request', () => {
  const exporter = new InMemorySpanExporter();
  const tracing = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  beforeAll(() => tracing.register({ propagator: null }));
  afterEach(() => exporter.reset());
  afterAll(async () => {
    await tracing.shutdown();
    trace.disable();
  });

  it.each([
    [204, {}],
    [503, { 'error.type': '503' }],
  ])('has the answer %i, and nothing of the path and the query', async (status, more) => {
    const { port } = await listen((_req, res) => res.writeHead(status).end());
    const post = createPost({ isAllowed: lenient, resolve: to('127.0.0.1') });
    await post(`http://receiver.example:${port}/secret?token=secret`, {}, '');
    expect(exporter.getFinishedSpans()).toMatchObject([
      {
        name: 'POST',
        attributes: {
          'server.address': 'receiver.example',
          'server.port': port,
          'http.response.status_code': status,
          'url.full': `http://receiver.example:${port}/REDACTED`,
          ...more,
        },
      },
    ]);
    expect(JSON.stringify(exporter.getFinishedSpans()[0]!.attributes)).not.toContain('secret');
  });

  it.each([
    ['http', 80],
    ['https', 443],
  ])('has the port of %s if the URL has none, and that nothing was sent', async (scheme, port) => {
    const post = createPost({ isAllowed: strict, resolve: to('127.0.0.1') });
    await expect(post(`${scheme}://receiver.example/`, {}, '')).rejects.toThrow(RefusedAddress);
    expect(exporter.getFinishedSpans()).toMatchObject([
      { attributes: { 'server.port': port, 'error.type': 'RefusedAddress' }, status: { code: 2 } },
    ]);
  });
});
