import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { listen } from '../../src/http/server';

const ADDRESS = { host: '127.0.0.1', port: 0 };

describe('the HTTP server', () => {
  it('lets a request in flight finish when it closes, and accepts no new one', async () => {
    const gate = withResolvers();
    const arrived = withResolvers();
    const server = await listen((_request, response) => {
      arrived.resolve();
      void gate.promise.then(() => response.end('whole'));
    }, ADDRESS);
    const agent = new Agent({ keepAlive: true });
    const response = fetchText(server.url, agent);
    await arrived.promise;

    const closed = server.close(60_000);
    await expect(fetchText(server.url, new Agent())).rejects.toThrow('ECONNREFUSED');
    gate.resolve();
    expect(await response).toBe('whole');
    await closed; // although the agent keeps its connection alive
    agent.destroy();
  });

  it('closes connections whose requests do not finish within the time-out', async () => {
    const arrived = withResolvers();
    const server = await listen(() => arrived.resolve(), ADDRESS);
    const response = fetchText(server.url, new Agent());
    const cut = expect(response).rejects.toThrow('socket hang up');
    await arrived.promise;
    await server.close(20);
    await cut;
  });

  it('closes although a client has a connection without a request', async () => {
    const server = await listen((_request, response) => response.end(), ADDRESS);
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined).resume();
    await server.close(20);
    socket.destroy();
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === '::1'),
  );
  (hasIpv6 ? it : it.skip)('writes an IPv6 address as URLs do', async () => {
    const server = await listen((_request, response) => response.end('six'), { host: '::1', port: 0 });
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(await fetchText(server.url, new Agent())).toBe('six');
    await server.close(0);
  });

  it('says what to do if the port is in use', async () => {
    const server = await listen((_request, response) => response.end(), ADDRESS);
    const port = Number(new URL(server.url).port);
    await expect(listen(() => undefined, { ...ADDRESS, port })).rejects.toThrow(/in use.*set PORT/);
    await server.close(0);
  });

  it.each([
    ['192.0.2.1', /set HOST/],
    ['no-such-host.invalid', /check HOST and PORT/],
  ])('says what to do if the host is %s', async (host, advice) => {
    await expect(listen(() => undefined, { host, port: 0 })).rejects.toThrow(advice);
  });
});

function fetchText(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = (response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
    };
    get(url, { agent }, read).on('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(error.code === 'ECONNREFUSED' ? 'ECONNREFUSED' : error.message));
    });
  });
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
