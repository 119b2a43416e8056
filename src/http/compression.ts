import { constants } from 'node:zlib';
import compress from 'koa-compress';
import type { Middleware } from './context';

const THRESHOLD_BYTES = 1_024;
const BROTLI_QUALITY = 4;

/**
 * Compresses larger answers, except those with an ETag: a strong tag names exact bytes, and our clients send it back
 * in If-Match, where a weakened one could never match. Such answers are single things and small.
 */
export function compression(): Middleware {
  return compress({
    threshold: ((_type: string, _size: number, ctx: { response: { get(name: string): string } }) =>
      ctx.response.get('ETag') ? Infinity : THRESHOLD_BYTES) as never,
    br: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
  }) as Middleware;
}
