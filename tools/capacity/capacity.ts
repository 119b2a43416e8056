import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withBlock } from '../../bench/harness/markdown';
import { PROJECT_ROOT } from '../project';
import { assumptionsTable, countsTable, planTable, storageTable, waitsTable } from './plan-tables';

const DOCUMENT = join(PROJECT_ROOT, 'docs', 'capacity.md');

/** Returns the document with its tables computed anew from bench/counts.ts and assumptions.ts. */
export function withTables(document: string): string {
  const tables: Record<string, string> = {
    counts: countsTable(),
    assumptions: assumptionsTable(),
    plan: planTable(),
    waits: waitsTable(),
    storage: storageTable(),
  };
  return Object.entries(tables).reduce((text, [name, table]) => withBlock(text, name, table), document);
}

/** `npm run capacity`: writes the tables of docs/capacity.md. */
async function main(): Promise<void> {
  await writeFile(DOCUMENT, withTables(await readFile(DOCUMENT, 'utf8')));
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
