import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { AuditActivities, Sealed } from '../activities/audit.activities';
import { showWork, unlessLonger, UPKEEP } from './work.display';
import { AUTO_UPGRADE } from './versions';

const { sealAuditLog } = proxyActivities<AuditActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '60s' },
});

/**
 * Gives new entries of the audit log their places in the chain: a Schedule starts it, one run at a time. Returns where the
 * chain ends now, so that Temporal remembers it as well; null if nothing was new.
 */
export async function auditLogWorkflow(): Promise<Sealed | null> {
  showWork('Chains the new entries of the audit log', unlessLonger('ten minutes', UPKEEP));
  return sealAuditLog.executeWithOptions({ summary: 'Chain the new entries of the audit log' }, []);
}

// A single step: one that waited for workers that are gone would keep its Schedule from starting another.
setWorkflowOptions({ versioningBehavior: AUTO_UPGRADE }, auditLogWorkflow);
