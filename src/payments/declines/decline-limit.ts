import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { createKeyedHash } from '../../common/keyed-hash';
import { AppError } from '../../errors/app-error';
import { tooManyFor } from '../../errors/too-many';
import type { Follower } from '../../mongodb/follow-changes';
import type { MongoDb } from '../../mongodb/mongodb';
import type { DeclineRepository } from './declines.repository';
import { followDeclines } from './follow-declines';

/** How many declined payments within an hour are too many; 0 for no limit. */
export interface DeclineLimits {
  /** Of a customer. */
  perUser: number;
  /** Of the customers at one address; for IPv6, in one network. */
  perAddress: number;
  /** Of a user or an API key that orders for others. Their address does not count. */
  perStaff: number;
}

/** Who sends a payment, and from where. */
export interface Payer {
  /** The id of the user or API key. */
  by: string;
  /** Whether the order is someone else's. */
  isForOthers: boolean;
  /** As `clientAddress` returns it. */
  address: string;
}

/** What has become of a payment that was sent. `open`: not known yet; `done`: anything but declined. */
export type TrackedOutcome = 'open' | 'declined' | 'done';

export interface DeclineLimit extends Follower {
  /**
   * @param isKnown tells whether the request may be a repeat, which is answered all the same
   * @throws {AppError} rate_limited if too many payments of that user, or from that address, were declined
   */
  requireBelow(payer: Payer, isKnown: () => Promise<boolean>): Promise<void>;
  /**
   * Sends a payment of the order. If it is declined, now or later, it counts for the address; a worker counts it for the
   * user.
   * @param outcomeOf tells what has become of the payment; an AppError of a declined one says so as well
   */
  track<T>(
    payer: Payer,
    orderId: string,
    send: () => Promise<T>,
    outcomeOf: (sent: T) => TrackedOutcome,
  ): Promise<T>;
}

export interface DeclineLimitDeps {
  repository: DeclineRepository;
  limits: DeclineLimits;
  /** Addresses are hashed with a key that is derived from it: the same for all API processes. */
  secret: KeyObject;
  mongodb: Pick<MongoDb, 'connected'>;
  logger: Logger;
}

/** Who has sent a payment, and the hashed address if it counts. */
interface Source {
  by: string;
  from: string | undefined;
}

/** How many payments whose outcome is not known yet are remembered with their address. */
const MAX_PENDING = 100_000;
const DECLINED_STATUS = 402;

/**
 * Keeps people from finding out which stolen cards work. Each process has the declined payments of the last hour in
 * memory, so a payment costs nothing more unless it is declined, and the limit holds while MongoDB is away.
 *
 * A worker counts a declined payment for its user, under the key of the payment and so once. The address reaches neither
 * Temporal nor the order: the API process that has sent the payment adds a hash of it when it learns of the outcome. If
 * that process has ended by then, the payment counts for its user alone.
 */
export function createDeclineLimit({ limits, secret, ...deps }: DeclineLimitDeps): DeclineLimit {
  const { repository, logger } = deps;
  const hashAddress = createKeyedHash(secret, 'addresses of declined payments');
  /** Who has sent a payment whose outcome is not known yet, by the id of the order; the oldest first. */
  const pending = new Map<string, Source>();
  const declines = followDeclines({
    ...deps,
    onDecline({ _id: key, from }) {
      const orderId = orderIdOf(key);
      const source = pending.get(orderId);
      if (!source) return;
      pending.delete(orderId);
      if (from === undefined) void count(orderId, source);
    },
  });

  /** Learns of the declined payments of the order before others tell, and adds the address to them. */
  async function count(orderId: string, { by, from }: Source): Promise<void> {
    try {
      const found = await repository.ofOrder(orderId);
      for (const decline of found.filter((one) => one.by === by)) {
        if (from !== undefined && decline.from === undefined) await repository.addSource(decline._id, from);
        declines.add({ from, ...decline });
      }
    } catch (err) {
      logger.warn({ err, orderId }, 'a declined payment could not be counted for its address');
    }
  }

  function expect(orderId: string, source: Source): void {
    for (const oldest of pending.keys()) {
      if (pending.size < MAX_PENDING) break;
      pending.delete(oldest);
    }
    pending.set(orderId, source);
  }

  function sourceOf({ by, isForOthers, address }: Payer): Source {
    return { by, from: isForOthers || limits.perAddress === 0 ? undefined : hashAddress(address) };
  }

  return {
    ready: declines.ready,
    followed: declines.followed,
    close: declines.close,

    async requireBelow(payer, isKnown) {
      const { by, isForOthers } = payer;
      const ms = Math.max(
        declines.msAtLimit('by', by, isForOthers ? limits.perStaff : limits.perUser),
        declines.msAtLimit('from', sourceOf(payer).from, limits.perAddress),
      );
      if (ms > 0 && !(await isKnown()))
        throw tooManyFor('payments were declined, so no other is tried for now', Math.ceil(ms / 1_000));
    },

    async track(payer, orderId, send, outcomeOf) {
      const source = sourceOf(payer);
      const isFirst = source.from !== undefined && !pending.has(orderId);
      if (isFirst) expect(orderId, source);
      const settle = async (outcome: TrackedOutcome) => {
        if (isFirst && outcome !== 'open') pending.delete(orderId);
        if (outcome === 'declined') await count(orderId, source);
      };
      try {
        const sent = await send();
        await settle(outcomeOf(sent));
        return sent;
      } catch (error) {
        await settle(outcomeOfError(error));
        throw error;
      }
    },
  };
}

/** A problem of the server leaves the outcome open; any other than a decline says that no payment was made. */
function outcomeOfError(error: unknown): TrackedOutcome {
  if (!(error instanceof AppError) || error.status >= 500) return 'open';
  return error.status === DECLINED_STATUS ? 'declined' : 'done';
}

/** Returns the order of a payment: its key is the id of the order, a hyphen and a number. */
function orderIdOf(paymentKey: string): string {
  return paymentKey.slice(0, paymentKey.lastIndexOf('-'));
}
