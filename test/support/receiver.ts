import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a receiver of webhooks has got. */
export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

/** Answers a request; it has not, if it does nothing. */
export type Answering = (res: ServerResponse, received: Received) => void;

export type Receiver = Awaited<ReturnType<typeof openReceiver>>;

/** Opens a receiver of webhooks. */
export async function openReceiver(answering: Answering = (res) => void res.end()) {
  const received: Received[] = [];
  let answer = answering;
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const one = { headers: req.headers, body: Buffer.concat(chunks).toString(), at: Date.now() };
      received.push(one);
      answer(res, one);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    ids: () => received.map(({ headers }) => headers['webhook-id'] as string),
    answerWith(next: Answering) {
      answer = next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
