import type { CallRecord } from '../log';
import { checkLinearizable, type Operation, type SequentialModel, type Verdict } from './linearizable';
import { orderHistories, orderRegister } from './order-register';
import { stockCounter, stockHistories, type StockWitness } from './stock-counter';

export { isOnlyAccepted, NOTHING, PLACING, showsNothing, within } from './answers';
export { wronglySoldOut } from './stock-counter';
export type { OrderMove, StockWitness } from './stock-counter';

/** What is wrong with the history of one object, or that it was too long to tell. */
export interface Anomaly {
  /** The id of the order or product. */
  subject: string;
  operations: number;
  verdict: Exclude<Verdict<unknown>, { isLinearizable: true }>;
}

/** The history of one object, which is judged when it is asked for. */
export interface ObjectHistory {
  subject: string;
  operations: number;
  verdict(): Verdict<unknown>;
}

/**
 * Tells whether what clients were answered could have been answered by one copy of each order and each stock, which does
 * one thing at a time.
 * @param witness what orders have moved in stock, by product; only the products that are in it are checked
 * @param except objects that are not checked
 */
export function checkHistory(
  log: readonly CallRecord[],
  witness: ReadonlyMap<string, StockWitness> = new Map(),
  except: ReadonlySet<string> = new Set(),
): Anomaly[] {
  return historiesOf(log, witness, except).flatMap(anomalyOf);
}

/** Returns the histories that {@link checkHistory} judges. */
export function historiesOf(
  log: readonly CallRecord[],
  witness: ReadonlyMap<string, StockWitness>,
  except: ReadonlySet<string>,
): ObjectHistory[] {
  const orders = [...orderHistories(log)].map(([id, history]) => historyOf(id, orderRegister, history));
  const stocks = [...stockHistories(log, witness)].map(([id, history]) =>
    historyOf(id, stockCounter(witness.get(id)!.initial), history),
  );
  return [...orders, ...stocks].filter(({ subject }) => !except.has(subject));
}

function historyOf<S, O>(
  subject: string,
  model: SequentialModel<S, O>,
  history: readonly Operation<O>[],
): ObjectHistory {
  return { subject, operations: history.length, verdict: () => checkLinearizable(model, history) };
}

export function anomalyOf({ subject, operations, verdict }: ObjectHistory): Anomaly[] {
  const found = verdict();
  return found.isLinearizable ? [] : [{ subject, operations, verdict: found }];
}
