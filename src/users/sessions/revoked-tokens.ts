import type { Logger } from 'pino';
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../../config/jwt';
import { followChanges, together, type Follower } from '../../mongodb/follow-changes';
import type { MongoDb } from '../../mongodb/mongodb';
import type { Revocation, RevokedTokensRepository } from './revoked-tokens.repository';
import { followEndedSessions } from './ended-sessions';
import type { EndedSessionsRepository } from './ended-sessions.repository';
import { isRevokedBy, type Issued } from './signed-in';

/** Longer than any access token lives: after that, no token is left to be rejected. */
const REMEMBER_MS = (MAX_ACCESS_TOKEN_TTL_SECONDS + 3_600) * 1_000;

export interface RevokedTokens extends Follower {
  /** Returns whether the token was revoked, or its session ended, before it expires. */
  has(token: Issued & { id: string }): boolean;
}

/**
 * Keeps in memory whose access tokens were revoked: within milliseconds on every process, without a read per
 * request, and also while MongoDB is away. A process that starts during an outage knows none of them until
 * MongoDB is back: it is not ready, it rejects ADMINs, and all it can do for a customer is to accept an
 * order.
 */
export function followRevokedTokens(
  repository: RevokedTokensRepository,
  ended: EndedSessionsRepository,
  { connected }: Pick<MongoDb, 'connected'>,
  logger: Logger,
): RevokedTokens {
  const revocations = new Map<string, Revocation>();

  /** Keeps them in the order in which they arrive, so that the oldest come first. */
  function remember(revocation: Revocation): void {
    const known = revocations.get(revocation._id);
    if (known && known.tokenVersion >= revocation.tokenVersion) return;
    revocations.delete(revocation._id);
    revocations.set(revocation._id, revocation);
    forgetOld();
  }

  function forgetOld(): void {
    const oldest = Date.now() - REMEMBER_MS;
    for (const [id, { tokensRevokedAt }] of revocations) {
      if (tokensRevokedAt!.getTime() > oldest) return;
      revocations.delete(id);
    }
  }

  const follower = followChanges(
    {
      name: 'revoked tokens',
      connected,
      open: repository.watch,
      load: async () => (await repository.findSince(new Date(Date.now() - REMEMBER_MS))).forEach(remember),
      apply: (change) => {
        if ('fullDocument' in change && change.fullDocument)
          remember({ ...change.fullDocument, _id: change.documentKey._id });
      },
    },
    logger,
  );
  const endedSessions = followEndedSessions(ended, { connected }, logger);
  return {
    ...together([follower, endedSessions]),
    has(token) {
      if (endedSessions.has(token.sessionId)) return true;
      const revocation = revocations.get(token.id);
      return revocation !== undefined && isRevokedBy(revocation, token);
    },
  };
}
