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
import {
  lingeringEnd,
  rejectConnect,
  rejectConnection,
  rejectRequest,
  type OnEarlyError,
} from './early-errors';

/**
 * Closes a connection whose client has stopped reading for this long, in addition to the time the response
 * may take.
 */
const STALLED_MS = 60_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;
/** How many connections a process accepts. It closes any more at once, rather than starving all of memory. */
const MAX_CONNECTIONS = 10_000;
const IDLE_SWEEP_MS = 50;

export interface HttpServer {
  url: string;
  /** Stops accepting, lets requests in flight finish, and closes what remains after the time-out. */
  close(timeoutMs: number): Promise<void>;
}

export interface HttpServerOptions {
  host: string;
  port: number;
  /** The variables that set them, for what is wrong with them. */
  variables?: { host: string; port: string };
  /** The longest that a response may take. */
  maxResponseMs?: number;
  /** Called for each request that the server rejects without calling the listener. */
  onEarlyError?: OnEarlyError;
  /** Replace the time-outs below. */
  timeouts?: Partial<typeof TIMEOUTS>;
}

/**
 * How long a client may take, in milliseconds. Node checks the first two every 2 s, where its default is 30
 * s.
 */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  // Longer than the idle time-out of common load balancers (60 s), so that the load balancer closes first.
  keepAliveTimeout: 65_000,
};

/** @throws {Error} with what to do, if the address cannot be used */
export async function listen(
  listener: RequestListener,
  {
    host,
    port,
    variables = { host: 'HOST', port: 'PORT' },
    maxResponseMs = 0,
    onEarlyError = () => undefined,
    timeouts,
  }: HttpServerOptions,
): Promise<HttpServer> {
  const inFlight = new Set<ServerResponse>();
  const handle = (req: IncomingMessage, res: ServerResponse) => {
    inFlight.add(res);
    res.once('close', () => inFlight.delete(res));
    if (!server.listening) announceEnd(res);
    const objection = objectionTo(req);
    if (objection) rejectRequest(res, ...objection, onEarlyError);
    else listener(req, res);
  };
  const limits = { ...TIMEOUTS, ...timeouts, maxHeaderSize: MAX_HEADER_BYTES };
  // Node's own response to a missing Host header has no body.
  const server = createServer({ ...limits, requireHostHeader: false }, handle);
  server.on('checkExpectation', handle); // unknown expectations are ignored (RFC 9110, 10.1.1)
  // Without a listener Node closes the connection without a word.
  server.on('connect', (_req, socket) => rejectConnect(socket as Socket, onEarlyError));
  server.on('connection', (socket) => preventDestroyWhileClientSends(socket, inFlight));
  server.on('clientError', (error, socket) => {
    const pending = [...inFlight].filter((response) => response.req.socket === socket);
    rejectConnection(error, socket as Socket, pending, onEarlyError);
  });
  server.maxHeadersCount = 0; // Node would drop headers beyond it silently; objectionTo rejects them
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(Math.min(maxResponseMs + STALLED_MS, MAX_TIMER_MS));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port, variables)));
    server.listen(port, host, resolve);
  });
  return {
    url: urlOf(server.address() as AddressInfo),
    close: (timeoutMs) => drain(server, inFlight, timeoutMs),
  };
}

/** The name or address of a host, with or without a port (RFC 9110, 7.2). */
const HOST = /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{0,5})?$/;

function objectionTo({ httpVersion, headers, rawHeaders }: IncomingMessage): [ErrorCode, string] | undefined {
  if (rawHeaders.length / 2 > MAX_HEADERS)
    return ['headers_too_large', `The request has more than ${MAX_HEADERS} headers: send fewer.`];
  const hosts = valuesOf(rawHeaders, 'host');
  if (httpVersion === '1.1' && hosts.length === 0)
    return ['validation_failed', 'The request has no Host header, which HTTP/1.1 requires: send one.'];
  // A proxy and we could each obey another one.
  if (hosts.length > 1) return ['validation_failed', 'The request has more than one Host header: send one.'];
  if (hosts.some((host) => !HOST.test(host)))
    return ['validation_failed', 'The Host header is no name of a host: send one such as shop.example:443.'];
  const coding = headers['transfer-encoding']?.trim().toLowerCase();
  if (coding !== undefined && coding !== 'chunked') {
    return [
      'not_implemented',
      'The only Transfer-Encoding is chunked: send a compressed body with Content-Encoding.',
    ];
  }
  return undefined;
}

/** Returns all values of a header, of which Node keeps only the first in some cases. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, n) => n % 2 === 1 && rawHeaders[n - 1]!.toLowerCase() === name);
}

/**
 * Node destroys a connection as soon as its last response is written, even while the client is still sending
 * the body. It does so by `destroySoon`, which here closes such a connection so that the client can read the
 * response.
 */
function preventDestroyWhileClientSends(socket: Socket, inFlight: ReadonlySet<ServerResponse>): void {
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
  // Node closes the connections that are idle now, but not those that become idle later.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}

/** Tells the client not to use this connection for its next request. */
function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function listenError(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  variables: NonNullable<HttpServerOptions['variables']>,
): Error {
  const advice: Record<string, string> = {
    EADDRINUSE: `Port ${port} on ${host} is in use: stop the program that uses it, or set ${variables.port} to another port.`,
    EACCES: `This user may not listen on port ${port} of ${host}: set ${variables.port} to 1024 or above.`,
    EADDRNOTAVAIL: `The address ${host} does not belong to this machine: set ${variables.host} to one that does.`,
  };
  const message =
    advice[String(error.code)] ??
    `Listening on ${host}:${port} failed: check ${variables.host} and ${variables.port}.`;
  return new Error(message, { cause: error });
}
