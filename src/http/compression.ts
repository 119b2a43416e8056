import { constants } from 'node:zlib';
import compress from 'koa-compress';
import type { Middleware } from './context';

const THRESHOLD_BYTES = 1_024;
const BROTLI_QUALITY = 4;

/**
 * Compresses larger responses, except those with an ETag: a strong tag names exact bytes, and clients send it
 * back in If-Match, where a weak tag never matches. Such responses are single resources and small.
 */
export function compression(): Middleware {
  return compress({
    threshold: ((_type: string, _size: number, ctx: { response: { get(name: string): string } }) =>
      ctx.response.get('ETag') ? Infinity : THRESHOLD_BYTES) as never,
    br: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
  }) as Middleware;
}
