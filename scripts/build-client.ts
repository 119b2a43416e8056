/** Builds the TypeScript client: as ES modules and as CommonJS, with what is made from docs/openapi.json. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenApiDocument } from '../src/openapi/document';
import { clientSources } from '../tools/clients/typescript-sources';
import { run } from '../tools/run';

const ROOT = join(__dirname, '..');
const CLIENT = join(ROOT, 'clients', 'typescript');
const NOTICE = '// Made from docs/openapi.json by `npm run build:client`.\n';
/** Both are of the same sources, so one of them is checked. */
const FORMATS = [
  { name: 'cjs', type: 'commonjs', options: ['--noCheck'] },
  { name: 'esm', type: 'module', options: ['--module', 'es2022', '--moduleResolution', 'bundler'] },
];

async function main(): Promise<void> {
  const document = JSON.parse(readFileSync(join(ROOT, 'docs', 'openapi.json'), 'utf8')) as OpenApiDocument;
  for (const [name, text] of Object.entries(await clientSources(document)))
    writeFileSync(join(CLIENT, 'src', name), NOTICE + text);
  rmSync(join(CLIENT, 'dist'), { recursive: true, force: true });
  await Promise.all(FORMATS.map(compile));
}

async function compile({ name, type, options }: (typeof FORMATS)[number]): Promise<void> {
  const folder = join(CLIENT, 'dist', name);
  mkdirSync(folder, { recursive: true });
  // Node.js takes files for what the nearest package.json says.
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type })}\n`);
  const compiler = require.resolve('typescript/bin/tsc');
  const args = [compiler, '--project', CLIENT, '--noEmit', 'false', '--outDir', folder, ...options];
  const { code, stdout } = await run(process.execPath, args);
  if (code !== 0) throw new Error(`its sources do not compile.\n${stdout}`);
}

main().catch((error: Error) => {
  console.error(`The TypeScript client cannot be built: ${error.message}`);
  process.exitCode = 1;
});
