import type { Connection } from 'mongoose';
import { createEventRepository, createRelayRepository } from '../../src/events/events.repository';
import { createRelay, type RelayRun } from '../../src/events/relay';
import { eventSources } from '../../src/events/sources';
import { createTransact, type Transact } from '../../src/mongodb/transaction';

const RETENTION_MS = 90 * 86_400_000;

export type RelayRepository = ReturnType<typeof createRelayRepository>;

export interface RelayOptions {
  transact?: Transact;
  retentionMs?: number;
  /** Returns what the relay writes with instead. */
  sabotage?(repository: RelayRepository): RelayRepository;
}

/** Puts the relay together as workers do. */
export function createTestRelay(
  connection: Connection,
  { transact, sabotage = same, retentionMs = RETENTION_MS }: RelayOptions = {},
) {
  const repository = sabotage(
    createRelayRepository({
      connection,
      transact: transact ?? createTransact(connection),
      retentionMs,
    }),
  );
  const feed = createEventRepository(connection);
  return createRelay({
    connection,
    repository,
    createSources: () => eventSources(connection, feed, repository),
    retentionMs,
  });
}

function same<T>(value: T): T {
  return value;
}

/** Relays in the background. */
export function startRelay(connection: Connection, options?: RelayOptions & Pick<RelayRun, 'onProgress'>) {
  const stopping = new AbortController();
  const ended = createTestRelay(
    connection,
    options,
  )({
    signal: stopping.signal,
    onProgress: options?.onProgress,
  });
  ended.catch(() => undefined); // the one who waits for it learns of it
  return {
    /** Rejects if the relay fails. */
    ended,
    async stop(): Promise<void> {
      stopping.abort();
      await ended;
    },
  };
}

/** Relays in the background, and begins again when anything fails, as Temporal makes workers do. */
export function keepRelaying(connection: Connection, options?: RelayOptions) {
  const stopping = new AbortController();
  const relay = createTestRelay(connection, options);
  let follow!: () => void;
  const following = new Promise<void>((resolve) => (follow = resolve));
  const onProgress: RelayRun['onProgress'] = ({ token }) => token && follow();
  const { signal } = stopping;
  const ended = (async () => {
    while (!signal.aborted) await relay({ signal, onProgress }).catch(() => undefined);
  })();
  return {
    /** Resolves when it follows the change stream: what was written before may be told together. */
    following,

    async stop(): Promise<void> {
      stopping.abort();
      await ended;
    },
  };
}
