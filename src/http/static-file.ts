import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Context } from './context';

/** A file that is the same for everybody, and public. */
export interface StaticFile {
  type: string;
  body: Buffer;
  etag: string;
  gzipped(): Buffer;
}

/** It is compressed once: the largest file would cost each request 30 ms. */
export function staticFile(type: string, content: Buffer | string): StaticFile {
  const body = Buffer.from(content);
  let gzipped: Buffer | undefined;
  const etag = createHash('sha256').update(body).digest('base64url').slice(0, 16);
  return { type, body, etag, gzipped: () => (gzipped ??= gzipSync(body, { level: 9 })) };
}

/** Responds with the file, or with 304 if the client has it. A strong ETag names bytes, so each coding has its own. */
export function sendStaticFile(ctx: Context, file: StaticFile, cacheControl: string): void {
  const isGzipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  ctx.compress = false; // it is compressed already, if at all
  ctx.vary('Accept-Encoding');
  ctx.set('Cache-Control', cacheControl);
  ctx.etag = isGzipped ? `${file.etag}-gzip` : file.etag;
  ctx.status = 200; // which `fresh` asks for
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.type = file.type;
  if (isGzipped) ctx.set('Content-Encoding', 'gzip');
  ctx.body = isGzipped ? file.gzipped() : file.body;
}
