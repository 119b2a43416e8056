import { SpanKind } from '@opentelemetry/api';
import { Resolver } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';
import { request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { inSpan, isTracing, recordError } from '../tracing/spans';
import { hasAllowedPort, type IsAllowedAddress } from './addresses';

/** How long a receiver may take until it has answered, in milliseconds, from the resolving of its name on. */
const ANSWER_TIMEOUT_MS = 15_000;

/** An address that must not be connected to. */
export class RefusedAddress extends Error {
  override name = 'RefusedAddress';
}

/** Returns all addresses of a name; none if there are none. */
export type Resolve = (hostname: string) => Promise<string[]>;

/** What a receiver has answered. */
export interface Answer {
  status: number;
  retryAfter: string | undefined;
}

export interface PostDeps {
  isAllowed: IsAllowedAddress;
  /** By default that of DNS. */
  resolve?: Resolve;
  timeoutMs?: number;
}

export type Post = ReturnType<typeof createPost>;

/**
 * Creates what sends requests to addresses that others have chosen. What is connected to are exactly the addresses that were
 * resolved and checked, so that a name which changes its mind in between gains nothing. Redirects are not followed.
 */
export function createPost({
  isAllowed,
  resolve = resolveWith(resolver),
  timeoutMs = ANSWER_TIMEOUT_MS,
}: PostDeps) {
  // Asked for all addresses, since Node.js tries one after the other.
  const lookup: LookupFunction = (hostname, _options, callback) => {
    resolve(hostname).then(
      (found) => {
        const addresses = found.map((address): LookupAddress => ({ address, family: isIP(address) }));
        const isRefused = !addresses.every(({ address }) => isAllowed(address));
        if (addresses.length === 0) callback(new Error(`${hostname} has no address.`), '');
        else if (isRefused) callback(refusal(), '');
        else callback(null, addresses);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };

  /**
   * Sends a body, and returns what the head of the response says: the rest of it is not read.
   * @throws {RefusedAddress} nothing was connected to
   * @throws {Error} there was no response in time
   */
  return async (url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Answer> => {
    const target = new URL(url);
    // Without a name, nothing is looked up. URL has decimal, octal and hexadecimal forms of addresses normalised.
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    if (!hasAllowedPort(target))
      throw new RefusedAddress('Nothing is sent to ports below 1024 but 80 and 443.');
    if (isIP(literal) !== 0 && !isAllowed(literal)) throw refusal();
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      lookup,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    };
    return inRequestSpan(target, async () => {
      const response = await send(target, options, body);
      response.destroy();
      return { status: response.statusCode!, retryAfter: response.headers['retry-after'] };
    });
  };
}

/** The path and the query of a receiver may be its secret, so they are in no trace. */
function inRequestSpan(target: URL, request: () => Promise<Answer>): Promise<Answer> {
  if (!isTracing()) return request();
  const attributes = {
    'http.request.method': 'POST',
    'server.address': target.hostname,
    'server.port': Number(target.port) || (target.protocol === 'https:' ? 443 : 80),
    'url.full': `${target.origin}/REDACTED`,
  };
  return inSpan('POST', { kind: SpanKind.CLIENT, attributes }, async (span) => {
    const answer = await request();
    span.setAttribute('http.response.status_code', answer.status);
    if (answer.status >= 400) recordError(span, String(answer.status));
    return answer;
  });
}

function send(target: URL, options: RequestOptions, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = target.protocol === 'https:' ? requestSecure : requestPlain;
    // What comes after the response changes nothing any more.
    request(target, options, resolve)
      .on('error', reject)
      .on('close', () => reject(new Error('The connection was closed without a response.')))
      .end(body);
  });
}

/** Does not say which address: that names inside have is no matter of those who make endpoints. */
function refusal(): RefusedAddress {
  return new RefusedAddress('The URL leads to an address that is not of the public internet.');
}

/** One attempt fails early enough for another before the receiver's time is over. */
const resolver = new Resolver({ timeout: 2_000, tries: 2 });

/**
 * Asks DNS itself: names that take long would occupy the few threads that the system's resolver has, and with them all who
 * resolve something else.
 */
export function resolveWith(dns: Pick<Resolver, 'resolve4' | 'resolve6'>): Resolve {
  return async (hostname) => {
    // RFC 6761, 6.3
    if (/(^|\.)localhost\.?$/i.test(hostname)) return ['127.0.0.1', '::1'];
    const found = await Promise.allSettled([dns.resolve4(hostname), dns.resolve6(hostname)]);
    const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const failure = found.find((one) => one.status === 'rejected');
    if (addresses.length === 0 && failure) throw failure.reason;
    return addresses;
  };
}
