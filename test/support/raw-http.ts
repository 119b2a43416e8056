import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a server says to bytes that no HTTP client would send. */
export interface RawAnswer {
  /** undefined when it closed the connection without a word. */
  status?: number;
  headers: Record<string, string>;
  body: string;
}

/** A connection to the port of a URL, on loopback. */
export async function openSocket(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined); // a reset is one of the ways to be closed
  await once(socket, 'connect');
  return socket;
}

/** Sends the text as it stands and reads until the server closes. */
export async function sendRaw(url: string, text: string): Promise<RawAnswer> {
  const socket = await openSocket(url);
  const answer = readAll(socket);
  socket.write(text);
  return parseAnswer(await answer);
}

export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => socket.once('close', resolve)); // after an error, too
  return text;
}

export function parseAnswer(text: string): RawAnswer {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1];
  return { status: status ? Number(status) : undefined, headers: Object.fromEntries(headers), body };
}
