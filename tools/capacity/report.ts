import { chartOf } from './chart';
import { withBlock } from '../../bench/harness/markdown';
import { assumptionsTable, countsTable, planTable, storageTable } from './plan-tables';
import { SALE } from './sale';
import { DEFAULTS, LONG, LONGER_SECONDS, runVariants, saleTable } from './sale-table';

export interface Report {
  /** Markdown by the name of its place in the document. */
  blocks: Record<string, string>;
  /** SVG by file name. */
  pictures: Record<string, string>;
}

/** All that is computed of docs/capacity.md; the same on every machine. */
export function report(): Report {
  const runs = runVariants();
  const seconds = SALE.ends - SALE.begins;
  return {
    blocks: {
      counts: countsTable(),
      assumptions: assumptionsTable(),
      plan: planTable(),
      storage: storageTable(),
      sale: saleTable(runs),
    },
    pictures: {
      'capacity-sale.svg': chartOf(
        'A sale of 5 minutes, scaled as the chart has it',
        runs.get(DEFAULTS)!,
        seconds,
      ),
      'capacity-long-sale.svg': chartOf(
        'A sale of 15 minutes, scaled by the backlog alone',
        runs.get(LONG)!,
        seconds + LONGER_SECONDS,
      ),
    },
  };
}

export function writtenInto(document: string, blocks: Report['blocks']): string {
  return Object.entries(blocks).reduce((text, [name, content]) => withBlock(text, name, content), document);
}
