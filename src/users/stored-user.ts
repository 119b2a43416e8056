import { trusted, type UpdateQuery } from 'mongoose';
import type { UserDocument } from './users.model';

export type User = Omit<
  UserDocument,
  '_id' | 'tokensRevokedAt' | 'reliedOn' | 'heldUntil' | 'orderTokenHash' | 'takenOverBy'
> & { id: string };

export function toUser(document: UserDocument): User {
  const { _id: id, email, confirmedEmail, name, role, status, passwordHash } = document;
  const { tokenVersion, keptSessionId, createdAt, updatedAt } = document;
  return {
    id,
    email,
    ...(confirmedEmail !== undefined && { confirmedEmail }),
    name,
    role,
    status,
    passwordHash,
    tokenVersion,
    keptSessionId,
    createdAt,
    updatedAt,
  };
}

/** The hash of no password: its digest was not computed. */
export const NO_PASSWORD = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Returns whether the user has shown to read the mails to the address. */
export function isConfirmed({ confirmedEmail }: Pick<UserDocument, 'confirmedEmail'>): boolean {
  return confirmedEmail !== undefined;
}

/** Finds the active user, unless tokens have been revoked since it was read. */
export function unrevoked({ id, tokenVersion }: Pick<User, 'id' | 'tokenVersion'>) {
  return { _id: id, tokenVersion, status: 'active' } as const;
}

/** Matches a user of whom no change of role or status has precedence. */
export function notHeld() {
  return { $or: [{ heldUntil: null }, { heldUntil: trusted({ $lte: new Date() }) }] };
}

/** Returns the change of these fields that also revokes all tokens and sessions of the user. */
export function revokingTokens(fields: Partial<UserDocument>): UpdateQuery<UserDocument> {
  return { $set: fields, $inc: { tokenVersion: 1 }, $currentDate: { tokensRevokedAt: true } };
}
