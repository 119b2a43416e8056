import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ulid } from 'ulid';
import { problemOf, PROBLEM_TYPE, PROBLEMS, type ErrorCode } from '../errors/problems';

const lingering = new WeakSet<Socket>();
/** How long a busy client may take to read the last response of a closed connection before it is reset. */
const LINGER_MS = 5_000;

/** Problems by the error code of Node's parser and timers; any other code means a malformed request. */
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
const METHODS = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';
const MALFORMED: readonly [ErrorCode, string] = [
  'validation_failed',
  'This is not a valid HTTP/1.1 request: check its request line, its headers and the framing of its body.',
];

/**
 * A problem that the HTTP server sent before a request existed for our middleware; it contains nothing
 * personal.
 */
export interface EarlyError {
  requestId: string;
  status: number;
  code: ErrorCode;
}

export type OnEarlyError = (error: EarlyError) => void;

/**
 * Responds to a request that Node's HTTP parser gave up on, and closes the connection.
 * @param pending the responses that this connection still waits for
 */
export function rejectConnection(
  error: NodeJS.ErrnoException,
  socket: Socket,
  pending: readonly ServerResponse[],
  onEarlyError: OnEarlyError,
): void {
  if (lingering.has(socket)) return; // the client has been told already
  // The client is gone, or a response is on its way, which another one must not be mixed with.
  if (!socket.writable || pending.some(belongsToAnotherRequest)) return void socket.destroy();
  const [code, detail] = REASONS[String(error.code)] ?? MALFORMED;
  writeProblem(socket, code, earlyError(code, detail, onEarlyError));
}

/** Responds to a CONNECT, whose connection Node hands over as it is, and closes it: the API is no proxy. */
export function rejectConnect(socket: Socket, onEarlyError: OnEarlyError): void {
  const code = 'method_not_allowed';
  const detail = `The API is not a proxy and does not support CONNECT: use one of ${METHODS}.`;
  socket.on('error', () => undefined); // the client may be gone
  const { headers, body } = earlyError(code, detail, onEarlyError);
  writeProblem(socket, code, { headers: { ...headers, Allow: METHODS }, body });
}

function writeProblem(
  socket: Socket,
  code: ErrorCode,
  { headers, body }: { headers: Record<string, string>; body: string },
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const { status } = PROBLEMS[code];
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  lingeringEnd(socket);
}

/** Responds to a request that Node's HTTP parser accepts and we do not. */
export function rejectRequest(
  response: ServerResponse,
  code: ErrorCode,
  detail: string,
  onEarlyError: OnEarlyError,
): void {
  const { headers, body } = earlyError(code, detail, onEarlyError);
  response.writeHead(PROBLEMS[code].status, headers).end(body);
}

/** A response whose request is complete has nothing to do with the error in what follows it. */
function belongsToAnotherRequest({ headersSent, req }: ServerResponse<IncomingMessage>): boolean {
  return headersSent || req.complete;
}

function earlyError(code: ErrorCode, detail: string, onEarlyError: OnEarlyError) {
  const requestId = ulid();
  const body = JSON.stringify(problemOf(code, detail, requestId));
  onEarlyError({ requestId, status: PROBLEMS[code].status, code });
  const headers = {
    'Content-Type': PROBLEM_TYPE,
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
 * Closes a connection without reading further, and resets it some seconds later. Resetting it at once, with
 * data unread, often destroys the response that is on its way to the client.
 */
export function lingeringEnd(socket: Socket): void {
  if (lingering.has(socket)) return;
  lingering.add(socket);
  socket.pause();
  socket.end();
  const reset = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(reset));
}
