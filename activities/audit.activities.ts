import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { AuditRepository, Seal } from '../src/audit/audit.repository';

/** Where the chain of a day ends, with the hash of its last entry. */
export type Sealed = Seal;

export interface AuditActivityDeps {
  audit: Pick<AuditRepository, 'seal'>;
}

export type AuditActivities = ReturnType<typeof createAuditActivities>;

export function createAuditActivities({ audit }: AuditActivityDeps) {
  return {
    /**
     * Gives new entries of the audit log their places in the chain. Each new end of the chain is logged, so that what leaves
     * the machine with the log tells whether the chain is still the one that it was. Two at once make one chain.
     */
    async sealAuditLog(): Promise<Sealed | null> {
      let last: Sealed | null = null;
      for (let seal = await audit.seal(); seal; seal = await audit.seal()) {
        log.info('audit log sealed', { ...seal });
        last = seal;
        heartbeat();
        cancellationSignal().throwIfAborted();
      }
      return last;
    },
  };
}
