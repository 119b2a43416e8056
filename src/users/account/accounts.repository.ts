import { trusted, type Connection } from 'mongoose';
import { unlessTaken } from '../../mongodb/errors';
import { createTransact } from '../../mongodb/transaction';
import { createApiKeyModel } from '../api-keys.model';
import { revokingTokens, toUser, type User } from '../stored-user';
import { createUserModel } from '../users.model';
import { ACCOUNT_TOKEN_MS, CHALLENGE_MS, hashAccountToken, newAccountToken } from './account-token';
import {
  createAccountTokenModel,
  type AccountTokenDocument,
  type TokenPurpose,
} from './account-tokens.model';

export interface Reset {
  passwordHash: string;
  /** Sessions that began before have expired, so that nobody has made API keys in them who should not have. */
  sessionsBeganAfter: Date;
}

export interface Confirmed {
  userId: string;
  /** The confirmed address that the user had before. */
  replaced?: string;
}

/** Changes that rely on a token, which works once. */
export interface AccountRepository {
  /** Makes a token to be sent to the address. It replaces the user's earlier one for the purpose. */
  issueToken(
    purpose: 'confirm' | 'reset',
    user: Pick<User, 'id' | 'tokenVersion'>,
    email: string,
  ): Promise<string>;
  /** Makes a token for a user who has signed in with the password and still has to show a code. */
  issueChallenge(user: Pick<User, 'id' | 'tokenVersion' | 'email'>): Promise<string>;
  /** Returns the user who has signed in with the password; null for a token that is not valid. */
  findByChallenge(token: string): Promise<User | null>;
  /** Uses up the token. Returns false if it is not valid any more. */
  useChallenge(token: string): Promise<boolean>;
  /** Returns the user whose password the token resets; null for a token that is not valid. */
  findByResetToken(token: string): Promise<User | null>;
  /**
   * Makes the address of the token the confirmed one of its user, unless the password has changed since the token was sent:
   * a thief may have asked for the address with the password before.
   * @returns null for a token that is not valid, undefined if another user has confirmed the address meanwhile
   */
  confirmAddress(token: string): Promise<Confirmed | null | undefined>;
  /**
   * Sets the password, revokes all tokens, sessions and API keys made in them, and confirms the address to which the token
   * was sent. Returns null for a token that is not valid.
   */
  resetPassword(token: string, reset: Reset): Promise<User | null>;
}

const AFTER = { returnDocument: 'after' } as const;

export function createAccountRepository(connection: Connection): AccountRepository {
  const tokens = createAccountTokenModel(connection);
  const users = createUserModel(connection);
  const keys = createApiKeyModel(connection);
  const transact = createTransact(connection);

  async function findUser(purpose: TokenPurpose, token: string): Promise<User | null> {
    const sent = await tokens.findOne(valid(purpose, token)).lean();
    const user = sent && (await users.findOne(sameStill(sent)).lean());
    return user && toUser(user);
  }

  return {
    async issueToken(purpose, { id: userId, tokenVersion }, email) {
      const token = newAccountToken();
      const expiresAt = new Date(Date.now() + ACCOUNT_TOKEN_MS);
      const fields = { tokenHash: hashAccountToken(token), purpose, userId, email, tokenVersion, expiresAt };
      await tokens.updateOne({ _id: `${purpose}:${userId}` }, { $set: fields }, { upsert: true });
      return token;
    },

    async issueChallenge({ id: userId, tokenVersion, email }) {
      const token = newAccountToken();
      const tokenHash = hashAccountToken(token);
      const expiresAt = new Date(Date.now() + CHALLENGE_MS);
      const fields = { tokenHash, purpose: 'second_factor', userId, email, tokenVersion, expiresAt } as const;
      await tokens.create({ _id: `second_factor:${tokenHash}`, ...fields }); // people sign in on several devices
      return token;
    },

    findByChallenge: (token) => findUser('second_factor', token),

    async useChallenge(token) {
      return (await tokens.deleteOne(valid('second_factor', token))).deletedCount > 0;
    },

    findByResetToken: (token) => findUser('reset', token),

    confirmAddress: (token) =>
      unlessTaken(() =>
        transact(async (session) => {
          const sent = await tokens.findOneAndDelete(valid('confirm', token), { session }).lean();
          if (!sent) return null;
          const { userId, email, tokenVersion } = sent;
          const change = { $set: { email, confirmedEmail: email } };
          const same = { _id: userId, tokenVersion, status: 'active' } as const;
          const before = await users.findOneAndUpdate(same, change, { session }).lean();
          const replaced = before?.confirmedEmail;
          return before && { userId, ...(replaced !== undefined && replaced !== email && { replaced }) };
        }),
      ),

    async resetPassword(token, { passwordHash, sessionsBeganAfter }) {
      const reset = await unlessTaken(() =>
        transact(async (session) => {
          const sent = await tokens.findOneAndDelete(valid('reset', token), { session }).lean();
          if (!sent) return null;
          const change = revokingTokens({ passwordHash, confirmedEmail: sent.email, keptSessionId: null });
          const user = await users.findOneAndUpdate(sameStill(sent), change, { session, ...AFTER }).lean();
          if (!user) return null;
          const made = {
            createdBy: user._id,
            createdAt: trusted({ $gte: sessionsBeganAfter }),
            revokedAt: null,
          };
          await keys.updateMany(made, { $currentDate: { revokedAt: true } }, { session });
          return toUser(user);
        }),
      );
      return reset ?? null; // of two accounts with one address, the other was faster
    },
  };
}

function valid(purpose: TokenPurpose, token: string) {
  // MongoDB removes expired documents with a delay.
  return { tokenHash: hashAccountToken(token), purpose, expiresAt: trusted({ $gt: new Date() }) };
}

/** The user, unless the address or the password has changed since the token was sent. */
function sameStill({ userId, email, tokenVersion }: AccountTokenDocument) {
  return { _id: userId, email, tokenVersion, status: 'active' } as const;
}
