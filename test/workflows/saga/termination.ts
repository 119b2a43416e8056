import { until } from '../../../tools/devstack/until';
import { unsettled } from '../../../src/domain/compensation';
import { isClosed } from '../../../src/domain/order-transitions';
import { createOrderService } from '../../../src/orders/orders.service';
import { expectConsistency } from '../../support/consistency';
import { HANG_MS } from '../../support/eventually';
import type { Place } from './baseline';
import { meanwhile } from './faults';
import { AVAILABLE } from './scenarios';
import { beginSaga, gistOf, type Gist, type Saga, type FaultyShop } from './saga';

/** An operator terminates the workflow at a step. Then the client repeats its last request, or cancels. */
export interface Termination {
  place: Place;
  next: 'repeats it' | 'cancels';
}

/**
 * A refund that is interrupted and not repeated is known to the payment service only, so it is always
 * repeated.
 */
export function terminationsAt(place: Place): Termination[] {
  const repeated: Termination = { place, next: 'repeats it' };
  return place.step.startsWith('refundPayment') ? [repeated] : [repeated, { place, next: 'cancels' }];
}

const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

/** @throws if a compensation stays outstanding, or ledger, stock and order do not agree */
export async function terminate(faulty: FaultyShop, { place, next }: Termination): Promise<void> {
  const { shop, injector } = faulty;
  const { scenario, stages } = place.baseline;
  const saga = await beginSaga(faulty, scenario);
  const kill = meanwhile(async ({ workflowId }) => {
    await shop.temporal.client.workflow.getHandle(workflowId).terminate();
  });
  saga.inject(place.step, kill);
  for (let move = 0; move < place.move; move++) {
    await saga.make(move);
    await saga.settled();
  }
  await saga.make(place.move);
  await until(
    HANG_MS,
    async () => saga.faultySteps()[0],
    () => new Error('The step was never reached.'),
  );
  if (next === 'cancels') await saga.customer.cancel();
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
  await expectConsistency(shop, { productId, initial: AVAILABLE, orders: [order], isNet: true });
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
