import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PayloadKey } from '../../config/payload-keys';
import { untilDone } from '../../common/until-done';
import { followChanges } from '../../mongodb/follow-changes';
import type { MongoDb } from '../../mongodb/mongodb';
import { seal, unseal } from '../encryption';
import { unreadable, withoutKey, UndecodablePayload, type CustomerKeys } from '../payload-codec';
import type { DataKeyRepository, StoredKey, WrappedKey } from './repository';

const KEY_BYTES = 32;
/** How many customers' keys a process keeps in memory. */
const MAX_CACHED = 50_000;
/** How long encrypting waits for MongoDB: orders are taken without it, too. */
const PATIENCE_MS = 1_000;

interface DataKey {
  key: KeyObject;
  isRetired: boolean;
}

/** MongoDB did not answer. */
const AWAY: unique symbol = Symbol('away');

export interface DataKeysOptions {
  repository: Pick<DataKeyRepository, 'find' | 'add'>;
  /** The first one wraps new keys, all unwrap. */
  payloadKeys: readonly PayloadKey[];
  /** How long encrypting waits for MongoDB, in milliseconds. */
  patienceMs?: number;
}

/**
 * Keeps the data keys of customers: each is random, made for the first order, stored encrypted with a key of PAYLOAD_KEYS, and
 * then in memory, so that only the first order of a customer in a process costs a read.
 */
export function createDataKeys({ repository, payloadKeys, patienceMs = PATIENCE_MS }: DataKeysOptions) {
  const cached = new Map<string, Promise<DataKey | null>>();
  const [first] = payloadKeys;
  /** Until when nothing waits for MongoDB, which did not answer. */
  let awayUntil = 0;

  /** Returns the key, which is null once it was destroyed. */
  function remembered(owner: string, read: () => Promise<DataKey | null>): Promise<DataKey | null> {
    const known = cached.get(owner);
    cached.delete(owner); // what was used last goes last
    const key = known ?? read();
    cached.set(owner, key);
    if (!known) key.catch(() => cached.get(owner) === key && cached.delete(owner));
    if (cached.size > MAX_CACHED) cached.delete(cached.keys().next().value!);
    return key;
  }

  async function findOrMake(owner: string): Promise<DataKey | null> {
    const found = (await repository.find(owner)) ?? (await repository.add(owner, newKey(first!)));
    return found === 'destroyed' ? null : dataKey(found, payloadKeys);
  }

  async function findKnown(owner: string): Promise<DataKey | null> {
    const found = await repository.find(owner);
    if (found === null) throw new UndecodablePayload(noSuchKey(owner));
    return found === 'destroyed' ? null : dataKey(found, payloadKeys);
  }

  const keys: CustomerKeys = {
    async toEncrypt(owner) {
      const key: Promise<DataKey | null | typeof AWAY> = remembered(owner, () => findOrMake(owner)).catch(
        (error: unknown) => {
          if (error instanceof UndecodablePayload) throw error; // PAYLOAD_KEYS lack a key: that is no outage
          return AWAY;
        },
      );
      const found = await Promise.race([
        key,
        delay(Date.now() < awayUntil ? 0 : patienceMs, AWAY, { ref: false }),
      ]);
      if (found !== AWAY) return found === null || found.isRetired ? null : found.key;
      awayUntil = Math.max(awayUntil, Date.now() + patienceMs); // one order waits once, though it has several payloads
      return null;
    },

    async toDecrypt(owner) {
      const found = await remembered(owner, () => findKnown(owner));
      if (found) return found.key;
      throw new UndecodablePayload(
        `A payload is encrypted with the data key ${owner} of a customer whose personal data were erased: nobody can read it.`,
      );
    },
  };

  return {
    ...keys,
    /** Forgets a key, or all of them, so that it is read again. */
    forget(owner?: string): void {
      if (owner === undefined) cached.clear();
      else cached.delete(owner);
    },
  };
}

/** Keeps data keys as `createDataKeys` does, and reads those again that are being retired or destroyed anywhere. */
export function followDataKeys(
  options: DataKeysOptions & { repository: Pick<DataKeyRepository, 'watchEnded'> },
  { connected }: Pick<MongoDb, 'connected'>,
  logger: Logger,
) {
  const keys = createDataKeys(options);
  const { close, followed } = followChanges(
    {
      name: 'data keys that end',
      connected,
      open: options.repository.watchEnded,
      load: async () => keys.forget(), // some may have ended while nobody looked
      apply: (change) => {
        if (change.operationType === 'update') keys.forget(change.documentKey._id);
      },
    },
    logger,
  );
  return { ...keys, followed, close };
}

/** How many keys are wrapped anew between two looks at which are left. */
const REWRAPPED_AT_ONCE = 500;

type Rewrapping = Pick<DataKeyRepository, 'wrappedByOthers' | 'rewrap'>;

/**
 * Wraps keys with the first key of PAYLOAD_KEYS that another one wraps, and says so in the log: then the other one can be
 * dropped. Every worker does it when it starts: one is enough, and more do no harm.
 */
export async function rewrapDataKeys(
  repository: Rewrapping,
  payloadKeys: readonly PayloadKey[],
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const [first] = payloadKeys;
  if (!first) return;
  const rewrap = async () => {
    const rewrapped = await rewrapAll(repository, payloadKeys);
    if (rewrapped > 0) logger.info({ rewrapped, wrappedBy: first.id }, 'data keys wrapped anew');
  };
  await untilDone(rewrap, { failure: 'data keys cannot be wrapped anew; retrying', logger, signal });
}

async function rewrapAll(repository: Rewrapping, payloadKeys: readonly PayloadKey[]): Promise<number> {
  const first = payloadKeys[0]!;
  for (let rewrapped = 0; ;) {
    const found = await repository.wrappedByOthers(first.id, REWRAPPED_AT_ONCE);
    for (const { owner, ...before } of found)
      await repository.rewrap(owner, before, wrap(unwrap(before, payloadKeys).export(), first));
    rewrapped += found.length;
    if (found.length < REWRAPPED_AT_ONCE) return rewrapped;
  }
}

function newKey(by: PayloadKey): WrappedKey {
  return wrap(randomBytes(KEY_BYTES), by);
}

function wrap(key: Buffer, by: PayloadKey): WrappedKey {
  return { wrapped: seal(by.key, key), wrappedBy: by.id };
}

/** @throws {UndecodablePayload} */
function dataKey({ isRetired, ...key }: StoredKey, payloadKeys: readonly PayloadKey[]): DataKey {
  return { key: unwrap(key, payloadKeys), isRetired };
}

/** @throws {UndecodablePayload} */
function unwrap({ wrapped, wrappedBy }: WrappedKey, payloadKeys: readonly PayloadKey[]): KeyObject {
  const by = payloadKeys.find(({ id }) => id === wrappedBy);
  if (!by) throw withoutKey(wrappedBy);
  try {
    return createSecretKey(unseal(by.key, wrapped));
  } catch (cause) {
    throw unreadable(wrappedBy, cause);
  }
}

function noSuchKey(owner: string): string {
  return (
    `A payload is encrypted with the data key ${owner}, which MongoDB does not have: restore the collection data_keys ` +
    'from a backup.'
  );
}
