import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../http/context';
import type { AppRouter } from '../http/router';
import { sendStaticFile, staticFile, type StaticFile } from '../http/static-file';

/** What is served as it is; `npm run build` copies the folder. */
const FOLDER = join(__dirname, 'page');

/** The modules of the page, in the order in which they need each other. */
const MODULES = [
  'format',
  'dom',
  'stream',
  'api',
  'lanes',
  'timeline',
  'commands',
  'forms',
  'dialog',
  'order',
  'board',
  'following',
  'store',
  'sign-in',
  'app',
];

const ASSETS: Record<string, string> = {
  'board.css': 'text/css',
  'icon.svg': 'image/svg+xml',
  ...Object.fromEntries(MODULES.map((name) => [`${name}.js`, 'text/javascript'])),
};

/**
 * Nothing inline, nothing of other origins, and no HTML that is made of a text. The answers are of the same origin; links to
 * the Temporal UI and to traces are followed, not loaded.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join(';');

/** The files are small and belong together: they are asked for at each load, and are a 304 until a release changes them. */
const CACHE_CONTROL = 'no-cache';

/** Serves the order board, whose files are public: what it shows is asked of the API by the user who signs in. */
export function registerBoard(router: AppRouter, prefix: string): void {
  const page = staticFile('text/html', boardPage(`${prefix}/board`));
  router.get('/board', (ctx) => send(ctx, page));
  for (const [name, type] of Object.entries(ASSETS)) {
    const file = staticFile(type, readFileSync(join(FOLDER, name)));
    router.get(`/board/assets/${name}`, (ctx) => send(ctx, file));
  }
}

function send(ctx: Context, file: StaticFile): void {
  ctx.set('Content-Security-Policy', POLICY);
  sendStaticFile(ctx, file, CACHE_CONTROL);
}

/** Its absolute links work with and without a trailing slash; all modules are loaded at once, not one after the other. */
function boardPage(base: string): string {
  const preloads = MODULES.map((name) => `<link rel="modulepreload" href="${base}/assets/${name}.js">`);
  return readFileSync(join(FOLDER, 'index.html'), 'utf8')
    .replace('<!-- modules -->', preloads.join('\n    '))
    .replaceAll('{base}', base);
}
