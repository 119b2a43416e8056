import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { listen, type HttpServer } from '../http/server';

export interface Answer {
  status: number;
  contentType: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
}

/** What is served at one path. */
export type Endpoint = () => Promise<Answer> | Answer;

export interface TelemetryServerOptions {
  host: string;
  port: number;
  logger: Pick<Logger, 'warn'>;
  /** By their exact paths. */
  endpoints: Readonly<Record<string, Endpoint>>;
}

/** Serves what the monitoring asks a process: a few paths, only to be read, and nothing else. */
export function startTelemetryServer({
  host,
  port,
  logger,
  endpoints,
}: TelemetryServerOptions): Promise<HttpServer> {
  const paths = new Map(Object.entries(endpoints));
  return listen((req, res) => void answer(paths, req, logger).then((found) => send(req, res, found)), {
    host,
    port,
    variables: { host: 'METRICS_HOST', port: 'METRICS_PORT' },
  });
}

async function answer(
  endpoints: ReadonlyMap<string, Endpoint>,
  { url = '/', method }: IncomingMessage,
  logger: Pick<Logger, 'warn'>,
): Promise<Answer> {
  const endpoint = endpoints.get(url.split('?', 1)[0]!);
  if (!endpoint) return plain(404, `Not found: use ${[...endpoints.keys()].join(' or ')}.`);
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Use GET or HEAD.');
  try {
    return await endpoint();
  } catch (err) {
    logger.warn({ err }, 'a request of the monitoring failed');
    return plain(500, 'Failed: the log of this process says why.');
  }
}

function plain(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

function send(
  { method }: IncomingMessage,
  res: ServerResponse,
  { status, contentType, body, headers }: Answer,
): void {
  res.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
    ...(status === 405 && { Allow: 'GET, HEAD' }),
  });
  res.end(method === 'HEAD' ? undefined : body);
}
