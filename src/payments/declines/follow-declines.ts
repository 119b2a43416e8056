import type { Logger } from 'pino';
import { followChanges } from '../../mongodb/follow-changes';
import type { MongoDb } from '../../mongodb/mongodb';
import { DECLINE_WINDOW_MS, type DeclineDocument } from './declines.model';
import type { DeclineRepository } from './declines.repository';
import { createRecentDeclines } from './recent-declines';

/** The most that a process has in memory. */
const MAX_DECLINES = 100_000;

export interface FollowDeclinesOptions {
  repository: Pick<DeclineRepository, 'findSince' | 'watch'>;
  mongodb: Pick<MongoDb, 'connected'>;
  logger: Logger;
  /** Called for each declined payment, and again when its address becomes known. */
  onDecline?(decline: DeclineDocument): void;
}

export type FollowedDeclines = ReturnType<typeof followDeclines>;

/** Keeps the declined payments of the last hour in memory. */
export function followDeclines({
  repository,
  mongodb,
  logger,
  onDecline = () => undefined,
}: FollowDeclinesOptions) {
  const declines = createRecentDeclines({ max: MAX_DECLINES });

  function learn(decline: DeclineDocument): void {
    declines.add(decline);
    onDecline(decline);
  }

  const follower = followChanges<DeclineDocument>(
    {
      name: 'declined payments',
      connected: mongodb.connected,
      open: repository.watch,
      load: async () => {
        const since = new Date(Date.now() - DECLINE_WINDOW_MS);
        (await repository.findSince(since, MAX_DECLINES)).forEach(learn);
      },
      apply: (change) => {
        if ('fullDocument' in change && change.fullDocument) learn(change.fullDocument);
      },
    },
    logger,
  );
  return { ...follower, ...declines };
}
