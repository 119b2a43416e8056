import { until } from '../../../tools/devstack/until';
import { unsettled } from '../../../src/domain/compensation';
import { isClosed } from '../../../src/domain/order-transitions';
import { createOrderService } from '../../../src/orders/orders.service';
import { expectConsistency } from '../../support/consistency';
import type { Place } from './chart';
import { meanwhile } from './faults';
import { AVAILABLE } from './lives';
import { beginSaga, gistOf, type Gist, type Saga, type SpoiledShop } from './saga';

/** Somebody terminates the workflow at a step; then the client repeats what was under way and goes on, or cancels. */
export interface Termination {
  place: Place;
  next: 'repeats it' | 'cancels';
}

/** A refund that was made, and that nobody repeats, is known to the payment service alone: its key tells of it. */
export function terminationsAt(place: Place): Termination[] {
  const repeated: Termination = { place, next: 'repeats it' };
  return place.step.startsWith('refundPayment') ? [repeated] : [repeated, { place, next: 'cancels' }];
}

const PATIENCE_MS = 60_000;
const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

/** @throws when something stays owed, or the books do not agree */
export async function terminate(spoiled: SpoiledShop, { place, next }: Termination): Promise<void> {
  const { shop, saboteur } = spoiled;
  const { life, stages } = place.chart;
  const saga = await beginSaga(spoiled, life);
  const kill = meanwhile(async ({ workflowId }) => {
    await shop.temporal.client.workflow.getHandle(workflowId).terminate();
  });
  saga.spoil(place.step, kill);
  for (let move = 0; move < place.move; move++) {
    await saga.make(move);
    await saga.settled();
  }
  await saga.make(place.move);
  await until(
    PATIENCE_MS,
    async () => saga.spoiledSteps()[0],
    () => new Error('The step did not come.'),
  );
  if (next === 'cancels') await saga.customer.cancel();
  else for (let move = place.move; move < life.moves.length; move++) await insist(spoiled, saga, move);
  await settle(spoiled, saga);
  await saboteur.endLife(saga.orderId);
  const order = (await saga.customer.stored())!;
  expect(unsettled(order)).toEqual([]);
  if (next === 'repeats it') {
    const [now, charted] = [essenceOf(gistOf(order)), essenceOf(stages.at(-1)!.rest.order as Gist)];
    expect(now).toEqual(charted);
  }
  const { productId } = saga;
  await expectConsistency(shop, { productId, initial: AVAILABLE, orders: [order], isNet: true });
}

/** As a client that reads the order again when it has changed meanwhile. */
async function insist(spoiled: SpoiledShop, saga: Saga, move: number): Promise<void> {
  const answer = await saga.make(move);
  await settle(spoiled, saga);
  if (answer === 'precondition_failed') await saga.make(move);
  await saga.settled();
}

async function settle(spoiled: SpoiledShop, saga: Saga): Promise<void> {
  await beToldToGiveBack(spoiled, saga);
  await saga.settled();
}

/** No command but an operator's takes up an order that is closed. */
async function beToldToGiveBack({ shop }: SpoiledShop, { orderId, customer }: Saga): Promise<void> {
  const order = (await customer.stored())!;
  if (!isClosed(order)) return;
  const service = createOrderService(shop);
  for (const { step } of unsettled(order)) {
    await service.retryCompensation(orderId, ADMIN, { step }).catch((error: { code?: string }) => {
      if (error.code !== 'not_found') throw error; // it was done meanwhile
    });
  }
}

/** Without the versions and the history that it took. */
function essenceOf({ version: _, history: _steps, ...essence }: Gist): Partial<Gist> {
  return essence;
}
