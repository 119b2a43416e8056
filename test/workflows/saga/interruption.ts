import { until } from '../../../tools/devstack/until';
import { unsettled } from '../../../src/domain/compensation';
import { isClosed } from '../../../src/domain/order-transitions';
import { createOrderService } from '../../../src/orders/orders.service';
import { orderWorkflowId } from '../../../workflows/contract';
import { expectConsistency } from '../../support/consistency';
import { HANG_MS } from '../../support/eventually';
import { createOperator, type Operator } from '../../../tools/chaos/operator';
import type { Place } from './baseline';
import { meanwhile } from './faults';
import { AVAILABLE } from './scenarios';
import { beginSaga, gistOf, type Gist, type Saga, type FaultyShop } from './saga';

/** What an operator does to a workflow, which loses what it knows. */
const INTERRUPTIONS = {
  'is terminated': (operator) => operator.terminate,
  'is deleted': (operator) => operator.delete,
  'is reset to its first task': (operator) => (workflowId) => operator.reset(workflowId, 'first'),
  'is reset to its last task': (operator) => (workflowId) => operator.reset(workflowId, 'last'),
} satisfies Record<string, (operator: Operator) => (workflowId: string) => Promise<void>>;

/** An operator interrupts the workflow. Then the client repeats its last request, or cancels. */
export interface Interruption {
  place: Place;
  what: keyof typeof INTERRUPTIONS;
  /** While the step runs, or just before the move that the step is part of. */
  when: 'at this step' | 'before it';
  next: 'repeats it' | 'cancels';
}

export function interruptionsAt(place: Place): Interruption[] {
  const all = Object.keys(INTERRUPTIONS) as Interruption['what'][];
  const during = all.map((what) => ({ place, what, when: 'at this step', next: 'repeats it' }) as const);
  const cancelled = { place, what: 'is terminated', when: 'at this step', next: 'cancels' } as const;
  const before = all.map((what) => ({ place, what, when: 'before it', next: 'repeats it' }) as const);
  return [...during, cancelled, ...(place.move > 0 && place.position === 0 ? before : [])];
}

const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

/** @throws if a compensation stays outstanding, or ledger, stock and order do not agree */
export async function interrupt(
  faulty: FaultyShop,
  { place, what, when, next }: Interruption,
): Promise<void> {
  const { shop, injector } = faulty;
  const { scenario, stages } = place.baseline;
  const saga = await beginSaga(faulty, scenario);
  const act = INTERRUPTIONS[what](createOperator(shop.temporal));
  const isBefore = when === 'before it';
  if (!isBefore)
    saga.inject(
      place.step,
      meanwhile(({ workflowId }) => act(workflowId)),
    );
  for (let move = 0; move < place.move; move++) {
    await saga.make(move);
    await saga.settled();
  }
  if (isBefore) await act(orderWorkflowId(saga.orderId));
  else {
    await saga.make(place.move);
    await until(
      HANG_MS,
      async () => saga.faultySteps()[0],
      () => new Error('The step was never reached.'),
    );
  }
  if (next === 'cancels') await cancel(saga);
  else for (let move = place.move; move < scenario.moves.length; move++) await repeat(faulty, saga, move);
  await settle(faulty, saga);
  await injector.endScenario(saga.orderId);
  const order = (await saga.customer.stored())!;
  expect(unsettled(order)).toEqual([]);
  if (next === 'repeats it') {
    const [now, baseline] = [essenceOf(gistOf(order)), essenceOf(stages.at(-1)!.rest.order as Gist)];
    expect(now).toEqual(baseline);
  }
  const { productId } = saga;
  await expectConsistency(shop, { productId, initial: AVAILABLE, orders: [order] });
}

/** Cancels the order. One that is closed is not cancelled: the next command that it allows finishes a refund. */
async function cancel({ customer }: Saga): Promise<void> {
  await customer.cancel();
  const order = await customer.stored();
  if (order?.intention && isClosed(order)) await customer.archive();
}

/** Repeats a move as a client that reads the order again for as long as it changes. */
async function repeat(faulty: FaultyShop, saga: Saga, move: number): Promise<void> {
  let outcome;
  do {
    outcome = await saga.make(move);
    await settle(faulty, saga);
  } while (outcome === 'precondition_failed');
}

async function settle(faulty: FaultyShop, saga: Saga): Promise<void> {
  await retryCompensations(faulty, saga);
  await saga.settled();
}

/** Restarts the workflow of a closed order, which only an operator's command does. */
async function retryCompensations({ shop }: FaultyShop, { orderId, customer }: Saga): Promise<void> {
  const order = (await customer.stored())!;
  if (!isClosed(order)) return;
  const service = createOrderService(shop);
  for (const { step } of unsettled(order)) {
    await service.retryCompensation(orderId, ADMIN, { step }).catch((error: { code?: string }) => {
      if (error.code !== 'not_found') throw error; // it has just been settled
    });
  }
}

/** Leaves out the version and the status history, which depend on the repeats. */
function essenceOf({ version: _, history: _steps, ...essence }: Gist): Partial<Gist> {
  return essence;
}
