import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Route } from '../http/route';
import type { AppRouter } from '../http/router';
import { sendStaticFile, staticFile, type StaticFile } from '../http/static-file';
import { buildDocument, type DocumentOptions } from './document';
import { initializerScript, swaggerPage } from './swagger-page';

const DIST = dirname(require.resolve('swagger-ui-dist/package.json'));
const DAY_SECONDS = 86_400;

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
  const page = staticFile('text/html', swaggerPage(base));
  const document = staticFile('application/json', JSON.stringify(buildDocument(routes, options)));

  router.get('/api', (ctx) => sendStaticFile(ctx, page, 'no-cache'));
  router.get('/api/openapi.json', (ctx) => sendStaticFile(ctx, document, 'no-cache'));
  for (const [name, file] of Object.entries(loadAssets(base))) {
    router.get(`/api/assets/${name}`, (ctx) => sendStaticFile(ctx, file, `public, max-age=${DAY_SECONDS}`));
  }
}

function loadAssets(base: string): Record<string, StaticFile> {
  const file = (name: string, type: string) => staticFile(type, readFileSync(join(DIST, name)));
  return {
    'swagger-ui.css': file('swagger-ui.css', 'text/css'),
    'swagger-ui-bundle.js': file('swagger-ui-bundle.js', 'text/javascript'),
    'favicon-32x32.png': file('favicon-32x32.png', 'image/png'),
    'initializer.js': staticFile('text/javascript', initializerScript(base)),
  };
}
