import { once } from 'node:events';
import { connect } from 'node:net';
import { count, type Tally } from './tally';

const DRIP_MS = 500;

/**
 * Opens N connections that send their headers or bodies byte by byte. Resolves when the server has closed all
 * of them.
 */
export async function dripFrom(
  url: string,
  sockets: number,
  tally: Tally = {},
  signal?: AbortSignal,
): Promise<Tally> {
  const { port, pathname } = new URL(url);
  const begin = `POST ${pathname}/auth/login HTTP/1.1\r\nHost: bench\r\n`;
  const withBody = `${begin}Content-Type: application/json\r\nContent-Length: 90000\r\n\r\n{`;
  await Promise.all(
    Array.from({ length: sockets }, async (_none, n) => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      let answer = '';
      socket.on('data', (data: Buffer) => (answer += data.toString()));
      await once(socket, 'connect');
      const [first, drop] = n % 2 === 0 ? [begin, 'A: b\r\n'] : [withBody, ' '];
      socket.write(first);
      const drip = setInterval(() => socket.write(drop), DRIP_MS);
      const stop = () => socket.destroy();
      signal?.addEventListener('abort', stop);
      await new Promise((resolve) => socket.once('close', resolve));
      signal?.removeEventListener('abort', stop);
      clearInterval(drip);
      count(tally, /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'closed');
    }),
  );
  return tally;
}
