import { setTimeout as delay } from 'node:timers/promises';
import { etagOf } from '../../common/etag';
import type { AmendOrder } from '../../domain/amendment';
import { unsettled } from '../../domain/compensation';
import type { Order } from '../../domain/order';
import { AppError } from '../../errors/app-error';
import { COMMANDS } from '../../../workflows/contract';
import { commandBy, type Caller, type Content } from '../order-request';
import type { CommandRunner } from './run';

/** How long an amendment waits until the payment that it replaced is voided. */
const VOIDING_MS = 2_000;

export function createAmend({ get, complete, findIfPossible }: CommandRunner) {
  /** If a problem names the version of the order, updates it to the one after payments are voided. */
  async function withCurrentVersion(error: unknown, id: string): Promise<unknown> {
    if (!(error instanceof AppError) || error.headers.ETag === undefined) return error;
    const order = await findIfPossible(id);
    return order ? error.with({ ETag: etagOf((await whenVoided(order)).version) }) : error;
  }

  /** Waits for the version that the next amendment has to name. Voiding mostly takes milliseconds. */
  async function whenVoided(order: Order): Promise<Order> {
    let now = order;
    for (const end = Date.now() + VOIDING_MS; unsettled(now).length > 0 && Date.now() < end;) {
      await delay(VOIDING_MS / 20);
      now = (await findIfPossible(order.id)) ?? now;
    }
    return now;
  }

  return async (id: string, caller: Caller, content: Content<AmendOrder>): Promise<Order> => {
    const order = await get(id, caller.principal);
    try {
      return await whenVoided(
        await complete(order, COMMANDS.amend, { ...content, ...commandBy(caller, order) }),
      );
    } catch (error) {
      throw await withCurrentVersion(error, id);
    }
  };
}
