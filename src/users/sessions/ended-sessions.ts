import type { Logger } from 'pino';
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../../config/jwt';
import { followChanges, type Follower } from '../../mongodb/follow-changes';
import type { MongoDb } from '../../mongodb/mongodb';
import type { EndedSession, EndedSessionsRepository } from './ended-sessions.repository';

export interface EndedSessions extends Follower {
  /** Returns whether the session ended, while any of its access tokens is valid. */
  has(sessionId: string): boolean;
}

/** No access token that has been issued is valid after it. */
const latest = () => new Date(Date.now() + MAX_ACCESS_TOKEN_TTL_SECONDS * 1_000);

/** Keeps in memory which sessions ended, by signing out or since they were stolen. */
export function followEndedSessions(
  repository: EndedSessionsRepository,
  { connected }: Pick<MongoDb, 'connected'>,
  logger: Logger,
): EndedSessions {
  /** Until when each has to be known, in milliseconds since the epoch; those that ended first come first. */
  const ended = new Map<string, number>();

  function remember({ _id, expiresAt }: EndedSession): void {
    ended.set(_id, expiresAt.getTime());
    for (const [id, until] of ended) {
      if (until > Date.now()) return;
      ended.delete(id);
    }
  }

  const follower = followChanges(
    {
      name: 'ended sessions',
      connected,
      open: repository.watch,
      load: async () => (await repository.findKnown()).forEach(remember),
      apply(change) {
        if (change.operationType !== 'update') return;
        const { expiresAt = latest() } = change.updateDescription.updatedFields!; // absent if it stays the same
        remember({ _id: change.documentKey._id, expiresAt });
      },
    },
    logger,
  );
  return { ...follower, has: (sessionId) => ended.has(sessionId) };
}
