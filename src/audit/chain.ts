import { canonicalJson, sha256 } from '../common/hash';
import type { AuditDocument, PrivatePart } from './audit.model';

/** What the first day begins with. */
export const BEGINNING = '0'.repeat(64);

export function privateHashOf(part: PrivatePart): string {
  return sha256(canonicalJson(part));
}

/** Returns the hash of an entry at its place in the chain. @param previous the hash before it */
export function hashOf(previous: string, entry: AuditDocument): string {
  const { _id, at, actor, action, object, subject, requestId, changes, privateHash, day, position } = entry;
  const content = { _id, at: at.toISOString(), actor, action, object, subject, requestId, changes };
  return sha256(canonicalJson({ previous, ...content, privateHash, day, position }));
}

/** Returns the day of a time, in UTC. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
