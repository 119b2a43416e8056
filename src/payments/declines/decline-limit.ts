import { createHmac, hkdfSync, type KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { AppError } from '../../errors/app-error';
import type { Follower } from '../../mongodb/follow-changes';
import type { MongoDb } from '../../mongodb/mongodb';
import type { DeclineDocument } from './declines.model';
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

/** What became of a payment. */
export interface Attempted {
  /** Whether the outcome is known. */
  isSettled: boolean;
  /** Whether an earlier request has sent the payment. */
  isReplay: boolean;
  /** The key of the payment, if it was declined. */
  declinedKey: string | null;
}

export interface DeclineLimit extends Follower {
  /**
   * @param isKnown tells whether the request may be a repeat, which is answered all the same
   * @throws {AppError} rate_limited if too many payments of that user, or from that address, were declined
   */
  requireBelow(payer: Payer, isKnown: () => Promise<boolean>): Promise<void>;
  /**
   * Sends a payment. If it is declined, now or later, it counts for the address; a worker counts it for the user.
   * @param paymentKey the key that the payment will have
   */
  track<T>(
    payer: Payer,
    paymentKey: string,
    send: () => Promise<T>,
    attemptedBy: (sent: T) => Attempted,
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

/** How many payments whose outcome is not known yet are remembered with their address. */
const MAX_PENDING = 100_000;

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
  const hashAddress = addressHasher(secret);
  /** The hashed address of payments whose outcome is not known yet, by the key of the payment; the oldest first. */
  const pending = new Map<string, string>();
  const declines = followDeclines({ ...deps, onDecline: (decline) => void addSourceLater(decline) });

  function addSourceLater({ _id: key, from: known }: DeclineDocument): Promise<void> | undefined {
    const from = pending.get(key);
    if (from === undefined) return undefined;
    pending.delete(key);
    return known === undefined ? count(key, from) : undefined;
  }

  /** Learns of a declined payment before others tell, and adds its address. */
  async function count(key: string, from: string | undefined): Promise<void> {
    try {
      const decline = await (from === undefined ? repository.find(key) : repository.addSource(key, from));
      if (decline) declines.add(decline);
    } catch (err) {
      logger.warn({ err }, 'a declined payment could not be counted for its address');
    }
  }

  function expect(paymentKey: string, from: string): void {
    for (const oldest of pending.keys()) {
      if (pending.size < MAX_PENDING) break;
      pending.delete(oldest);
    }
    pending.set(paymentKey, from);
  }

  function sourceOf({ isForOthers, address }: Payer): string | undefined {
    return isForOthers || limits.perAddress === 0 ? undefined : hashAddress(address);
  }

  return {
    ready: declines.ready,
    followed: declines.followed,
    close: declines.close,

    async requireBelow(payer, isKnown) {
      const { by, isForOthers } = payer;
      const ms = Math.max(
        declines.msAtLimit('by', by, isForOthers ? limits.perStaff : limits.perUser),
        declines.msAtLimit('from', sourceOf(payer), limits.perAddress),
      );
      if (ms > 0 && !(await isKnown())) throw tooManyDeclines(Math.ceil(ms / 1_000));
    },

    async track(payer, paymentKey, send, attemptedBy) {
      const from = sourceOf(payer);
      const isFirst = from !== undefined && !pending.has(paymentKey);
      if (isFirst) expect(paymentKey, from);
      const sent = await send();
      const { isSettled, isReplay, declinedKey } = attemptedBy(sent);
      if (isFirst && isSettled) pending.delete(paymentKey);
      if (declinedKey !== null && !isReplay) await count(declinedKey, from);
      return sent;
    },
  };
}

function addressHasher(secret: KeyObject): (address: string) => string {
  const material =
    secret.type === 'secret' ? secret.export() : secret.export({ format: 'der', type: 'pkcs8' });
  const key = Buffer.from(hkdfSync('sha256', material, '', 'addresses of declined payments', 32));
  return (address) => createHmac('sha256', key).update(address).digest('base64url').slice(0, 22);
}

function tooManyDeclines(seconds: number): AppError {
  return new AppError(
    'rate_limited',
    `Too many payments were declined, so no other is tried for now: try again in ${seconds} s.`,
    { headers: { 'Retry-After': String(seconds) } },
  );
}
