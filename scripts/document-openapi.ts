/**
 * Writes docs/openapi.json, from which clients are generated. A change that would break a client of the one that is there is
 * refused unless `--breaking` says that it is meant.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { OPENAPI_FILE, printedOpenApi } from '../tools/openapi';
import { breakingChanges } from '../tools/openapi-changes';
import { createOutput } from '../tools/output';
import { SetupError } from '../tools/project';

async function main(isMeant: boolean): Promise<void> {
  const current = printedOpenApi();
  const committed = await readFile(OPENAPI_FILE, 'utf8').catch(() => current);
  const breaking =
    isMeant || committed === current ? [] : await breakingChanges(committed, current, createOutput());
  if (breaking.length > 0) {
    console.error(
      `${breaking.join('\n')}\n\nThese changes would break clients, so docs/openapi.json stays as it is. If they are meant: ` +
        'npm run docs:openapi -- --breaking',
    );
    process.exitCode = 1;
    return;
  }
  await writeFile(OPENAPI_FILE, current);
}

main(process.argv.includes('--breaking')).catch((error: unknown) => {
  console.error(error instanceof SetupError ? error.message : error);
  process.exitCode = 1;
});
