import { constants } from 'node:zlib';
import compress from 'koa-compress';
import type { Context, Middleware } from './context';

const THRESHOLD_BYTES = 1_024;
const BROTLI_QUALITY = 4;
const CODINGS = ['zstd', 'br', 'gzip', 'deflate', 'identity'];

/**
 * Compresses larger responses, except those with an ETag: a strong tag names exact bytes, and clients send it
 * back in If-Match, where a weak tag never matches. Such responses are single resources and small.
 *
 * A client that accepts nothing that we can send gets the response uncompressed (RFC 9110, 12.5.3, leaves that to us).
 */
export function compression(): Middleware {
  const compressed = compress({
    threshold: ((_type: string, _size: number, ctx: Context) => {
      if (ctx.response.get('ETag')) return Infinity;
      return ctx.acceptsEncodings('identity') ? THRESHOLD_BYTES : 0;
    }) as never,
    br: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
  }) as Middleware;
  return async (ctx, next) => {
    if (!ctx.acceptsEncodings(...CODINGS)) ctx.compress = false;
    await compressed(ctx, async () => {
      await next();
      // The headers of HEAD are those of GET, which says no Content-Length if it is compressed.
      if (ctx.method === 'HEAD')
        Object.defineProperty(ctx.request, 'method', { value: 'GET', configurable: true });
    });
    delete (ctx.request as { method?: string }).method; // uncovers the one of the request
  };
}
