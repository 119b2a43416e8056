import { isConfirmed, type User } from './stored-user';
import type { ListedSession } from './sessions/sessions.repository';
import type { SessionView, UserView } from './users.schema';

export function presentUser(user: User): UserView {
  const { id, email, name, role, status, createdAt } = user;
  const isEmailConfirmed = isConfirmed(user);
  return { id, email, isEmailConfirmed, name, role, status, createdAt: createdAt.toISOString() };
}

export function presentSession(session: ListedSession, currentId: string): SessionView {
  const { id, createdAt, refreshedAt, expiresAt } = session;
  return {
    id,
    isCurrent: id === currentId,
    createdAt: createdAt.toISOString(),
    refreshedAt: refreshedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
