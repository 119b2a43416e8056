/** Writes what src/config says of its variables into docs/configuration.md and .env.example. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationPage, envExample } from '../tools/configuration';

const ROOT = join(__dirname, '..');
const PAGE = join(ROOT, 'docs', 'configuration.md');

async function main(): Promise<void> {
  await writeFile(PAGE, configurationPage(await readFile(PAGE, 'utf8')));
  await writeFile(join(ROOT, '.env.example'), envExample());
}

void main();
