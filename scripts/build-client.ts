/** Builds the TypeScript client: as ES modules and as CommonJS, with what is made from the OpenAPI document. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientSources } from '../tools/client-sources';
import { openApiDocument } from '../tools/openapi';

const CLIENT = join(__dirname, '..', 'clients', 'typescript');
const NOTICE = '// Made from the OpenAPI document by `npm run build:client`.\n';
const FORMATS = [
  { name: 'cjs', type: 'commonjs', options: [] },
  { name: 'esm', type: 'module', options: ['--module', 'es2022', '--moduleResolution', 'bundler'] },
];

async function main(): Promise<void> {
  for (const [name, text] of Object.entries(await clientSources(openApiDocument())))
    writeFileSync(join(CLIENT, 'src', name), NOTICE + text);
  rmSync(join(CLIENT, 'dist'), { recursive: true, force: true });
  for (const { name, type, options } of FORMATS) {
    const folder = join(CLIENT, 'dist', name);
    compile(['--outDir', folder, ...options]);
    // Node.js takes files for what the nearest package.json says.
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type })}\n`);
  }
}

function compile(options: string[]): void {
  const compiler = require.resolve('typescript/bin/tsc');
  const args = [compiler, '--project', CLIENT, '--noEmit', 'false', ...options];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error('its sources do not compile, as the messages above say.');
}

main().catch((error: Error) => {
  console.error(`The TypeScript client cannot be built: ${error.message}`);
  process.exitCode = 1;
});
