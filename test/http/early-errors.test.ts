import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { listen, type HttpServer, type HttpServerOptions } from '../../src/http/server';
import type { EarlyError } from '../../src/http/early-errors';
import { PROBLEMS, type ErrorCode } from '../../src/errors/problems';
import { openSocket, parseResponse, readAll, sendRaw, type RawResponse } from '../support/raw-http';

const REQUEST = 'GET / HTTP/1.1\r\nHost: shop.example\r\n';
const QUICK = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 };

let server: HttpServer | undefined;
let reported: EarlyError[];
beforeEach(() => void (reported = []));
afterEach(async () => {
  await server?.close(0);
  server = undefined;
});

async function start(listener: RequestListener, timeouts?: HttpServerOptions['timeouts']): Promise<string> {
  const onEarlyError = (error: EarlyError) => void reported.push(error);
  server = await listen(listener, { host: '127.0.0.1', port: 0, onEarlyError, timeouts });
  return server.url;
}

const serveAll: RequestListener = (req, res) => void req.resume().on('end', () => res.end('served'));

function expectProblem({ status, headers, body }: RawResponse, code: ErrorCode): void {
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect({ status, ...problem }).toMatchObject({ status: PROBLEMS[code].status, code });
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    'x-request-id': problem.requestId,
    vary: 'Origin',
  });
  expect(problem.detail).toMatch(/: (send|check|use) /);
  expect(reported).toEqual([{ requestId: problem.requestId, status, code }]);
}

describe("a request that Node's HTTP parser rejects", () => {
  it.each<[string, ErrorCode, string]>([
    ['text that is not HTTP', 'validation_failed', 'hello\r\n\r\n'],
    [
      'a transfer coding beside chunked',
      'not_implemented',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown method', 'validation_failed', 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown version', 'validation_failed', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n'],
    ['a header without a colon', 'validation_failed', `${REQUEST}Nonsense\r\n\r\n`],
    ['a null byte in a header', 'validation_failed', `${REQUEST}X-A: a\0b\r\n\r\n`],
    ['two lengths', 'validation_failed', `${REQUEST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
    [
      'request smuggling',
      'validation_failed',
      `${REQUEST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ],
    ['no Host header', 'validation_failed', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Host headers', 'validation_failed', `${REQUEST}Host: other.example\r\n\r\n`],
    ['an empty Host header', 'validation_failed', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['a Host header with a path', 'validation_failed', 'GET / HTTP/1.1\r\nHost: shop.example/a\r\n\r\n'],
    ['a Host header with a user', 'validation_failed', 'GET / HTTP/1.1\r\nHost: a@shop.example\r\n\r\n'],
    ['a Host header with a space', 'validation_failed', 'GET / HTTP/1.0\r\nHost: a b\r\n\r\n'],
    ['CONNECT', 'method_not_allowed', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n'],
    ['a broken chunk', 'validation_failed', `${REQUEST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ['20 kB of headers', 'headers_too_large', `${REQUEST}X-A: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['20 kB of path', 'headers_too_large', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['101 headers', 'headers_too_large', `${REQUEST}${'A: b\r\n'.repeat(100)}\r\n`],
    [
      '20 kB of chunk extensions',
      'payload_too_large',
      `${REQUEST}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}\r\n`,
    ],
  ])('with %s gets the problem %s', async (_what, code, text) => {
    const url = await start(serveAll);
    expectProblem(await sendRaw(url, text), code);
  });

  it.each(['shop.example', 'SHOP.example:8443', '127.0.0.1:3000', '[::1]:3000', '[2001:db8::1]', 'my_host'])(
    'may have the Host header %s',
    async (host) => {
      const url = await start(serveAll);
      const text = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(await sendRaw(url, text)).toMatchObject({ status: 200 });
    },
  );

  it('may have 100 headers and an unknown expectation', async () => {
    const url = await start(serveAll);
    const headers = `${'A: b\r\n'.repeat(97)}Expect: the-unexpected\r\nConnection: close\r\n\r\n`;
    expect(await sendRaw(url, REQUEST + headers)).toMatchObject({ status: 200 });
    expect(reported).toEqual([]);
  });
});

describe('a slow client', () => {
  it.each([
    ['sends nothing', ''],
    ['stops in its headers', REQUEST],
    ['stops in its body', `${REQUEST}Content-Length: 100\r\n\r\nbegin`],
  ])('that %s gets 408', async (_what, text) => {
    const url = await start(serveAll, QUICK);
    expectProblem(await sendRaw(url, text), 'request_timeout');
  });

  it.each([
    ['headers', REQUEST, 'A: b\r\n'],
    ['body', `${REQUEST}Content-Length: 100000\r\n\r\n`, 'x'],
  ])('that sends its %s byte by byte gets 408', async (_part, begin, drop) => {
    const url = await start(serveAll, QUICK);
    const socket = await openSocket(url);
    socket.write(begin);
    const drip = setInterval(() => socket.write(drop), 10);
    const text = await readAll(socket);
    clearInterval(drip);
    expectProblem(parseResponse(text), 'request_timeout');
  });

  it('is not waited for, nor read further, if it is rejected in the middle of its body', async () => {
    let bytesRead = 0;
    const url = await start((req, res) => {
      req.once('data', () => {
        req.pause();
        res.writeHead(413, { Connection: 'close' }).end('too much');
      });
      req.socket.once('close', () => (bytesRead = req.socket.bytesRead));
    });
    const socket = await openSocket(url);
    const text = readAll(socket);
    socket.write(`${REQUEST}Content-Length: 10000000\r\n\r\n`);
    for (let sent = 0; sent < 100; sent++) socket.write('x'.repeat(100_000));
    expect(parseResponse(await text)).toMatchObject({
      status: 413,
      body: expect.stringContaining('too much'),
    });
    await server!.close(0);
    expect(bytesRead).toBeLessThan(1_000_000);
  });
});

describe('a connection', () => {
  it('with a response on its way gets no problem in the middle of it', async () => {
    let whole!: () => void;
    const url = await start((_req, res) => {
      res.write('the first half');
      whole = () => res.end();
    });
    const socket = await openSocket(url);
    const text = readAll(socket);
    socket.write(`${REQUEST}\r\n`);
    await once(socket, 'data');
    socket.write('nonsense\r\n\r\n');
    expect(await text).not.toContain('validation_failed');
    expect(reported).toEqual([]);
    whole();
  });

  it('never gets a problem of what follows a request as the response to that request', async () => {
    const url = await start(() => undefined);
    expect(await sendRaw(url, `${REQUEST}\r\nnonsense\r\n\r\n`)).toMatchObject({ status: undefined });
    expect(reported).toEqual([]);
  });

  it('that is closed before the response harms no other', async () => {
    const url = await start(serveAll);
    for (let client = 0; client < 20; client++) {
      const socket = await openSocket(url);
      socket.write('nonsense\r\n\r\n');
      socket.resetAndDestroy();
    }
    expect((await fetch(url)).status).toBe(200);
  });
});
