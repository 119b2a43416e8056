import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ulid } from 'ulid';
import { problemOf, PROBLEMS, type ErrorCode } from '../errors/problems';

const lingering = new WeakSet<Socket>();
/** How long a connection that is closed may take to fetch its last answer, before it is reset: a busy client looks late. */
const LINGER_MS = 5_000;

/** What Node's parser and clock object to, by the code of their errors; all else is a malformed request. */
const REASONS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'The request line and headers are larger than 16 kB together: send fewer or shorter ones.',
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    'payload_too_large',
    'The chunk extensions of the body are too large: send the body without any.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request_timeout',
    'The request did not arrive in time: send its headers within 10 s, and all of it within 30 s.',
  ],
};
const MALFORMED: readonly [ErrorCode, string] = [
  'validation_failed',
  'This is not a valid HTTP/1.1 request: check its request line, its headers and the framing of its body.',
];

/** A request that was answered before any of our middleware saw it; there is nothing personal in it. */
export interface Refusal {
  requestId: string;
  status: number;
  code: ErrorCode;
}

export type OnRefusal = (refusal: Refusal) => void;

/** Answers what Node's HTTP parser gave up on, and closes the connection. `answering`: its answers under way. */
export function refuseConnection(
  error: NodeJS.ErrnoException,
  socket: Socket,
  answering: readonly ServerResponse[],
  onRefusal: OnRefusal,
): void {
  if (lingering.has(socket)) return; // what follows the mistake is no news
  // Gone already, or in the middle of an answer, which another one must not be mixed with.
  if (!socket.writable || answering.some(belongsToAnotherRequest)) return void socket.destroy();
  const [code, detail] = REASONS[String(error.code)] ?? MALFORMED;
  const { headers, body } = refusal(code, detail, onRefusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const { status } = PROBLEMS[code];
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  lingeringEnd(socket);
}

/** Answers a request that was read, but is not to be handled. */
export function refuseRequest(
  response: ServerResponse,
  code: ErrorCode,
  detail: string,
  onRefusal: OnRefusal,
): void {
  const { headers, body } = refusal(code, detail, onRefusal);
  response.writeHead(PROBLEMS[code].status, headers).end(body);
}

/** An answer whose request has come whole was not meant by what came after it. */
function belongsToAnotherRequest({ headersSent, req }: ServerResponse<IncomingMessage>): boolean {
  return headersSent || req.complete;
}

function refusal(code: ErrorCode, detail: string, onRefusal: OnRefusal) {
  const requestId = ulid();
  const body = JSON.stringify(problemOf(code, detail, requestId));
  onRefusal({ requestId, status: PROBLEMS[code].status, code });
  const headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Origin',
    Connection: 'close',
  };
  return { headers, body };
}

/**
 * Ends a connection without reading on, and resets it some seconds later: one that is reset at once, with something unread,
 * often loses the answer that is on its way to the client.
 */
export function lingeringEnd(socket: Socket): void {
  if (lingering.has(socket)) return;
  lingering.add(socket);
  socket.pause();
  socket.end();
  const reset = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(reset));
}
