import { heartbeat, log } from '@temporalio/activity';
import type { CartRepository } from '../src/carts/carts.repository';

const RUNBOOK = 'docs/failure-modes.md#cart_hold_overdue';

export interface CartActivityDeps {
  carts: Pick<CartRepository, 'releaseExpired' | 'markAbandoned'>;
  /** How long after its last change a cart counts as abandoned, in milliseconds. */
  abandonedAfterMs: number;
}

/** How many carts a run has changed. */
export interface CartsReport {
  released: number;
  abandoned: number;
}

export type CartActivities = ReturnType<typeof createCartActivities>;

/** Each may run twice, or twice at once: every write is on the condition that the cart is as it was read. */
export function createCartActivities({ carts, abandonedAfterMs }: CartActivityDeps) {
  return {
    /** Releases what was held for carts until now, and marks the carts that nobody has touched for long, each once. */
    async sweepCarts(): Promise<CartsReport> {
      const released = await carts.releaseExpired(undefined, (cartId, error) => {
        heartbeat(); // there may be many
        log.error('cart not released', { cartId, error, runbook: RUNBOOK });
      });
      heartbeat();
      const before = new Date(Date.now() - abandonedAfterMs);
      let abandoned = 0;
      for (;;) {
        const marked = await carts.markAbandoned(before);
        heartbeat();
        if (marked === 0) break;
        abandoned += marked;
      }
      log.info('carts swept', { released, abandoned });
      return { released, abandoned };
    },
  };
}
