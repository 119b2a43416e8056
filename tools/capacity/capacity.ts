import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { report, writtenInto } from './report';

const DOCS = join(__dirname, '..', '..', 'docs');

/**
 * The tables and pictures of docs/capacity.md, from `counts.ts` and `capacity/assumptions.ts`: `npm run bench:capacity`
 * prints them, `npm run bench:capacity -- --write` puts them into the document.
 */
async function main(): Promise<void> {
  const { blocks, pictures } = report();
  for (const [name, content] of Object.entries(blocks)) console.log(`${name}\n\n${content}\n`);
  if (!process.argv.includes('--write')) return;
  const path = join(DOCS, 'capacity.md');
  await writeFile(path, writtenInto(await readFile(path, 'utf8'), blocks));
  for (const [file, svg] of Object.entries(pictures)) await writeFile(join(DOCS, file), svg);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
