import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { MAX_TIMER_MS } from '../config/rules';
import type { ErrorCode } from '../errors/problems';
import { lingeringEnd, refuseConnection, refuseRequest, type OnRefusal } from './early-errors';

/** A client that takes nothing of its answer for so long is cut, beyond the time that the answer itself may take. */
const STALLED_MS = 60_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;
/** Of one process. Beyond them new ones are closed at once, rather than all being starved of memory. */
const MAX_CONNECTIONS = 10_000;
const IDLE_SWEEP_MS = 50;

export interface HttpServer {
  url: string;
  /** Stops accepting, lets requests in flight finish, and cuts what is still there after the time-out. */
  close(timeoutMs: number): Promise<void>;
}

export interface HttpServerOptions {
  host: string;
  port: number;
  /** The longest that an answer keeps its client waiting. */
  maxAnswerMs?: number;
  /** Told of every request that was answered here, without the listener. */
  onRefusal?: OnRefusal;
  /** Other time-outs than those below. */
  timeouts?: Partial<typeof TIMEOUTS>;
}

/** How long a client may take; Node looks every 2 s who is over the first two, by itself every 30 s. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  // Longer than the idle time-out of the usual load balancers (60 s), so that it is they who close first.
  keepAliveTimeout: 65_000,
};

/** @throws with one clear sentence when the address cannot be had. */
export async function listen(
  listener: RequestListener,
  { host, port, maxAnswerMs = 0, onRefusal = () => undefined, timeouts }: HttpServerOptions,
): Promise<HttpServer> {
  const inFlight = new Set<ServerResponse>();
  const handle = (req: IncomingMessage, res: ServerResponse) => {
    inFlight.add(res);
    res.once('close', () => inFlight.delete(res));
    if (!server.listening) announceEnd(res);
    const objection = objectionTo(req);
    if (objection) refuseRequest(res, ...objection, onRefusal);
    else listener(req, res);
  };
  const limits = { ...TIMEOUTS, ...timeouts, maxHeaderSize: MAX_HEADER_BYTES };
  // Node's own answer to a missing Host header is an empty one.
  const server = createServer({ ...limits, requireHostHeader: false }, handle);
  server.on('checkExpectation', handle); // one that we do not know is none (RFC 9110, 10.1.1)
  server.on('connection', (socket) => closeGently(socket, inFlight));
  server.on('clientError', (error, socket) => {
    const answering = [...inFlight].filter((response) => response.req.socket === socket);
    refuseConnection(error, socket as Socket, answering, onRefusal);
  });
  server.maxHeadersCount = 0; // none is dropped unseen: too many of them are refused
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(Math.min(maxAnswerMs + STALLED_MS, MAX_TIMER_MS));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  return {
    url: urlOf(server.address() as AddressInfo),
    close: (timeoutMs) => drain(server, inFlight, timeoutMs),
  };
}

function objectionTo({ httpVersion, headers, rawHeaders }: IncomingMessage): [ErrorCode, string] | undefined {
  if (rawHeaders.length / 2 > MAX_HEADERS)
    return ['headers_too_large', `The request has more than ${MAX_HEADERS} headers: send fewer.`];
  if (httpVersion === '1.1' && headers.host === undefined)
    return ['validation_failed', 'The request has no Host header, which HTTP/1.1 requires: send one.'];
  return undefined;
}

/** Node destroys a connection as soon as its last answer is written, although the client may still be sending. */
function closeGently(socket: Socket, inFlight: ReadonlySet<ServerResponse>): void {
  const { destroySoon } = socket;
  socket.destroySoon = () => {
    const isSending = [...inFlight].some(
      (response) => response.req.socket === socket && !response.req.complete,
    );
    if (isSending) lingeringEnd(socket);
    else destroySoon.call(socket);
  };
}

async function drain(
  server: Server,
  inFlight: ReadonlySet<ServerResponse>,
  timeoutMs: number,
): Promise<void> {
  for (const response of inFlight) announceEnd(response);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Node closes the connections that are idle now; those that become idle later are for us to close.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}

/** Tells the client to send its next request elsewhere, before this connection is closed under it. */
function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const advice: Record<string, string> = {
    EADDRINUSE: `Port ${port} on ${host} is in use: stop what uses it, or set PORT to another.`,
    EACCES: `Port ${port} on ${host} is not allowed to this user: set PORT to 1024 or above.`,
    EADDRNOTAVAIL: `The address ${host} does not belong to this machine: set HOST to one that does.`,
  };
  const message = advice[String(error.code)] ?? `Listening on ${host}:${port} failed: check HOST and PORT.`;
  return new Error(message, { cause: error });
}
