import { ID_PATTERNS } from '../common/ids';
import type { AuditDocument } from './audit.model';
import type { AuditEntryView } from './audit.schema';

export function presentAuditEntry(entry: AuditDocument): AuditEntryView {
  const { _id: id, at, actor, action, object, requestId, changes, private: hidden } = entry;
  return {
    id,
    at: at.toISOString(),
    actor: { type: typeOf(actor), id: actor },
    action,
    object,
    changes: [...changes, ...(hidden?.changes ?? [])],
    requestId,
    address: hidden?.address ?? null,
    isErased: hidden === undefined,
    seal: sealOf(entry),
  };
}

function typeOf(actor: string): AuditEntryView['actor']['type'] {
  if (ID_PATTERNS.usr.test(actor)) return 'user';
  return ID_PATTERNS.key.test(actor) ? 'key' : 'system';
}

function sealOf({ day, position, hash }: AuditDocument): AuditEntryView['seal'] {
  return day !== undefined && position !== undefined && hash !== undefined ? { day, position, hash } : null;
}
