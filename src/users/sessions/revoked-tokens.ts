import type { Logger } from 'pino';
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../../config/jwt';
import type { AccessTokenClaims } from '../../jwt/jwt';
import { followChanges, type Follower } from '../../mongodb/follow-changes';
import type { MongoDb } from '../../mongodb/mongodb';
import type { EndedTokensRepository, TokenEnd } from './revoked-tokens.repository';
import { isEndedBy } from './token-end';

/** Longer than any access token lives: after that, none is left to be told from the others. */
const REMEMBER_MS = (MAX_ACCESS_TOKEN_TTL_SECONDS + 3_600) * 1_000;

export interface EndedTokens extends Follower {
  /** Whether the token is no longer good, though its time is not over. */
  has(claims: AccessTokenClaims): boolean;
}

/**
 * Whose access tokens were ended before their time, in memory: within milliseconds on every process, without a read
 * per request, and still there while MongoDB is away. A process that starts while it is away knows none until it is
 * back: it is not ready, serves no ADMIN, and all that it can do for a customer meanwhile is to take an order.
 */
export function followEndedTokens(
  repository: EndedTokensRepository,
  { connected }: Pick<MongoDb, 'connected'>,
  logger: Logger,
): EndedTokens {
  const ends = new Map<string, TokenEnd>();

  /** Kept in the order in which they came, so that the oldest come first. */
  function remember(end: TokenEnd): void {
    const known = ends.get(end._id);
    if (known && known.tokenVersion >= end.tokenVersion) return;
    ends.delete(end._id);
    ends.set(end._id, end);
    forgetOld();
  }

  function forgetOld(): void {
    const oldest = Date.now() - REMEMBER_MS;
    for (const [id, { tokensEndedAt }] of ends) {
      if (tokensEndedAt!.getTime() > oldest) return;
      ends.delete(id);
    }
  }

  const follower = followChanges(
    {
      name: 'ended tokens',
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
  return {
    ...follower,
    has(claims) {
      const end = ends.get(claims.id);
      return end !== undefined && isEndedBy(end, claims);
    },
  };
}
