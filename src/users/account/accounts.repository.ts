import { trusted, type Connection } from 'mongoose';
import { unlessTaken } from '../../mongodb/errors';
import { createTransact } from '../../mongodb/transaction';
import type { Origin } from '../../domain/audit';
import { createKeyRevocation } from '../key-revocation';
import { createProfileRecorder } from '../profile-audit';
import { revokingTokens, toUser, unrevoked, type User } from '../stored-user';
import { createUserModel } from '../users.model';
import { ACCOUNT_TOKEN_MS, CHALLENGE_MS, hashAccountToken, newAccountToken } from './account-token';
import {
  createAccountTokenModel,
  type AccountTokenDocument,
  type MailedPurpose,
  type TokenPurpose,
} from './account-tokens.model';
import { validToken } from './valid-token';

export interface Reset {
  passwordHash: string;
  origin: Origin;
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
  /**
   * Makes a token to be sent to the address. It replaces the user's earlier one for the purpose. Returns null if the user was
   * disabled or erased, or all tokens revoked, since they were read: mails may wait.
   */
  issueToken(
    purpose: MailedPurpose,
    user: Pick<User, 'id' | 'tokenVersion'>,
    email: string,
  ): Promise<string | null>;
  /** Makes a token for a user who has signed in with the password and still has to show a code. */
  issueChallenge(user: Pick<User, 'id' | 'tokenVersion' | 'email'>): Promise<string>;
  /** Returns the user for whom the token was made; null for a token that is not valid. */
  findByToken(purpose: TokenPurpose, token: string): Promise<User | null>;
  /** Uses up the token. Returns false if it is not valid any more. */
  useChallenge(token: string): Promise<boolean>;
  /**
   * Makes the address of the token the confirmed one of its user, unless the password has changed since the token was sent:
   * a thief may have asked for the address with the password before.
   * @returns null for a token that is not valid, undefined if another user has confirmed the address meanwhile
   */
  confirmAddress(token: string, sender: Omit<Origin, 'by'>): Promise<Confirmed | null | undefined>;
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
  const revokeKeys = createKeyRevocation(connection);
  const recordProfile = createProfileRecorder(connection);
  const transact = createTransact(connection);

  return {
    async issueToken(purpose, { id: userId, tokenVersion }, email) {
      if (!(await users.exists(unrevoked({ id: userId, tokenVersion })))) return null;
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
      const fields = { tokenHash, purpose: 'challenge', userId, email, tokenVersion, expiresAt } as const;
      await tokens.create({ _id: `challenge:${tokenHash}`, ...fields }); // people sign in on several devices
      return token;
    },

    async findByToken(purpose, token) {
      const sent = await tokens.findOne(validToken(purpose, token)).lean();
      const user = sent && (await users.findOne(ownerOfAddress(sent)).lean());
      return user && toUser(user);
    },

    async useChallenge(token) {
      return (await tokens.deleteOne(validToken('challenge', token))).deletedCount > 0;
    },

    confirmAddress: (token, sender) =>
      unlessTaken(() =>
        transact(async (session) => {
          const sent = await tokens.findOneAndDelete(validToken('confirm', token), { session }).lean();
          if (!sent) return null;
          const { userId, email } = sent;
          const change = { $set: { email, confirmedEmail: email } };
          const before = await users.findOneAndUpdate(ownerOf(sent), change, { session }).lean();
          if (!before) return null;
          const user = toUser(before);
          const confirmed = { ...user, email, confirmedEmail: email };
          await recordProfile(user, confirmed, { by: userId, ...sender }, session);
          const replaced = user.confirmedEmail;
          return { userId, ...(replaced !== undefined && replaced !== email && { replaced }) };
        }),
      ),

    async resetPassword(token, { passwordHash, origin, sessionsBeganAfter }) {
      const reset = await unlessTaken(() =>
        transact(async (session) => {
          const sent = await tokens.findOneAndDelete(validToken('reset', token), { session }).lean();
          if (!sent) return null;
          const owner = await users.findOne(ownerOfAddress(sent), null, { session }).lean();
          if (!owner) return null;
          const change = revokingTokens({ passwordHash, confirmedEmail: sent.email, keptSessionId: null });
          const changed = await users.findByIdAndUpdate(owner._id, change, { session, ...AFTER }).lean();
          const user = toUser(changed!);
          await recordProfile(toUser(owner), user, origin, session);
          const made = { createdBy: user.id, createdAt: trusted({ $gte: sessionsBeganAfter }) };
          await revokeKeys(made, origin, session);
          return user;
        }),
      );
      return reset ?? null; // of two accounts with one address, the other was faster
    },
  };
}

/** The user, unless the password or the role has changed since the token was made. */
function ownerOf({ userId: id, tokenVersion }: AccountTokenDocument) {
  return unrevoked({ id, tokenVersion });
}

/** The same, while the address is that to which it was sent. */
function ownerOfAddress(token: AccountTokenDocument) {
  return { ...ownerOf(token), email: token.email };
}
