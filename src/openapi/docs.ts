import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Context } from '../http/context';
import type { Route } from '../http/route';
import type { AppRouter } from '../http/router';
import { buildDocument, type DocumentOptions } from './document';
import { initializerScript, swaggerPage } from './swagger-page';

const DIST = dirname(require.resolve('swagger-ui-dist/package.json'));
const DAY_SECONDS = 86_400;

interface Asset {
  type: string;
  body: Buffer;
  gzipped(): Buffer;
}

/** What is the same for everybody is compressed once: the largest file would cost each request 30 ms. */
function asset(type: string, content: Buffer | string): Asset {
  const body = Buffer.from(content);
  let gzipped: Buffer | undefined;
  return { type, body, gzipped: () => (gzipped ??= gzipSync(body)) };
}

/** Returns the path of the Swagger page. */
export function docsPath(prefix: string): string {
  return `${prefix}/api`;
}

/** Serves the document and the Swagger page, whose absolute links work with and without a trailing slash. */
export function registerDocs(
  router: AppRouter,
  { routes, ...options }: DocumentOptions & { routes: Route[] },
): void {
  const base = docsPath(options.prefix);
  const page = asset('text/html', swaggerPage(base));
  const document = asset('application/json', JSON.stringify(buildDocument(routes, options)));

  router.get('/api', (ctx) => send(ctx, page, 'no-cache'));
  router.get('/api/openapi.json', (ctx) => send(ctx, document, 'no-cache'));
  for (const [name, file] of Object.entries(loadAssets(base))) {
    router.get(`/api/assets/${name}`, (ctx) => send(ctx, file, `public, max-age=${DAY_SECONDS}`));
  }
}

function loadAssets(base: string): Record<string, Asset> {
  const file = (name: string, type: string) => asset(type, readFileSync(join(DIST, name)));
  return {
    'swagger-ui.css': file('swagger-ui.css', 'text/css'),
    'swagger-ui-bundle.js': file('swagger-ui-bundle.js', 'text/javascript'),
    'favicon-32x32.png': file('favicon-32x32.png', 'image/png'),
    'initializer.js': asset('text/javascript', initializerScript(base)),
  };
}

function send(ctx: Context, { type, body, gzipped }: Asset, cacheControl: string): void {
  const isGzipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  ctx.compress = false; // it is compressed already, if at all
  ctx.set('Cache-Control', cacheControl);
  ctx.type = type;
  if (isGzipped) ctx.set('Content-Encoding', 'gzip');
  ctx.body = isGzipped ? gzipped() : body;
}
