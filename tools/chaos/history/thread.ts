import { parentPort, workerData } from 'node:worker_threads';
import { anomalyOf, historiesOf, type Anomaly } from '.';
import type { CallRecord } from '../log';
import type { StockWitness } from './stock-counter';

export interface Work {
  log: readonly CallRecord[];
  witness: ReadonlyMap<string, StockWitness>;
  except: ReadonlySet<string>;
}

/** What the thread tells of each history: before it is judged, and what is wrong with it. */
export type Note = { begun: Pick<Anomaly, 'subject' | 'operations'> } | { found: Anomaly[] };

const { log, witness, except } = workerData as Work;
const tell = (note: Note): void => parentPort!.postMessage(note);
for (const history of historiesOf(log, witness, except)) {
  const { subject, operations } = history;
  tell({ begun: { subject, operations } });
  tell({ found: anomalyOf(history) });
}
