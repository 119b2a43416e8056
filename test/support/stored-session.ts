import { randomBytes } from 'node:crypto';
import type { Session } from '../../src/users/sessions/sessions.repository';

/** Returns a session as the database keeps it, which lasts for a minute. */
export function sessionOf(userId: string, more: Partial<Session> = {}): Session {
  const now = new Date();
  const later = new Date(now.getTime() + 60_000);
  return {
    id: randomBytes(16).toString('hex'),
    userId,
    family: 'f'.repeat(32),
    tokenHash: 'x',
    tokenVersion: 0,
    createdAt: now,
    accessUntil: later,
    expiresAt: later,
    usedFrom: 'somewhere',
    hasSecondFactor: false,
    ...more,
  };
}
