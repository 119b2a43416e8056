import type { ClientSession, Connection } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import { changesBetween, type Origin } from '../domain/audit';
import { Role } from '../role/role';
import type { User } from './stored-user';

/** Writes to the audit log what a user has changed of the own account, as a part of the transaction that changes it. */
export type RecordProfile = (
  before: User,
  after: User,
  origin: Origin,
  session: ClientSession,
) => Promise<void>;

/**
 * Only ADMINs are recorded: another password or address of theirs is what to look for after an account was taken over.
 * Of a password, only that it is another one.
 */
export function createProfileRecorder(connection: Connection): RecordProfile {
  const recordAudit = createAuditRecorder(connection);
  return async (before, after, origin, session) => {
    if (before.role !== Role.ADMIN) return;
    const { id } = before;
    const isPasswordNew = before.passwordHash !== after.passwordHash;
    const changes = isPasswordNew ? [{ field: 'password', before: null, after: 'changed' }] : [];
    const personal = changesBetween(before, after, ['name', 'confirmedEmail']);
    if (changes.length + personal.length === 0) return;
    const change = { action: 'user.change_profile', object: id, subject: id, changes, personal };
    await recordAudit({ ...change, origin }, session);
  };
}
