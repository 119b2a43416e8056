import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A server's response to bytes that no HTTP client would send. */
export interface RawResponse {
  /** Undefined if the server closed the connection without a response. */
  status?: number;
  headers: Record<string, string>;
  body: string;
}

/** Opens a connection to the port of a URL on loopback. */
export async function openSocket(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined); // the server may close the connection by a reset
  await once(socket, 'connect');
  return socket;
}

/** Sends the text unchanged and reads until the server closes the connection. */
export async function sendRaw(url: string, text: string): Promise<RawResponse> {
  const socket = await openSocket(url);
  const response = readAll(socket);
  socket.write(text);
  return parseResponse(await response);
}

export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => socket.once('close', resolve)); // also follows an error
  return text;
}

export function parseResponse(text: string): RawResponse {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1];
  return { status: status ? Number(status) : undefined, headers: Object.fromEntries(headers), body };
}
