import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from '../http/context';
import type { Route } from '../http/route';
import type { AppRouter } from '../http/router';
import { buildDocument, type DocumentOptions } from './document';
import { initializerScript, swaggerPage } from './swagger-page';

const DIST = dirname(require.resolve('swagger-ui-dist/package.json'));
const DAY_SECONDS = 86_400;

interface Asset {
  type: string;
  body: Buffer | string;
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
  const document = JSON.stringify(buildDocument(routes, options));
  const assets = loadAssets(base);

  router.get('/api', (ctx) => send(ctx, { type: 'text/html', body: swaggerPage(base) }, 'no-cache'));
  router.get('/api/openapi.json', (ctx) =>
    send(ctx, { type: 'application/json', body: document }, 'no-cache'),
  );
  for (const [name, asset] of Object.entries(assets)) {
    router.get(`/api/assets/${name}`, (ctx) => send(ctx, asset, `public, max-age=${DAY_SECONDS}`));
  }
}

function loadAssets(base: string): Record<string, Asset> {
  const file = (name: string, type: string): Asset => ({ type, body: readFileSync(join(DIST, name)) });
  return {
    'swagger-ui.css': file('swagger-ui.css', 'text/css'),
    'swagger-ui-bundle.js': file('swagger-ui-bundle.js', 'text/javascript'),
    'favicon-32x32.png': file('favicon-32x32.png', 'image/png'),
    'initializer.js': { type: 'text/javascript', body: initializerScript(base) },
  };
}

function send(ctx: Context, { type, body }: Asset, cacheControl: string): void {
  ctx.set('Cache-Control', cacheControl);
  ctx.type = type;
  ctx.body = body;
}
