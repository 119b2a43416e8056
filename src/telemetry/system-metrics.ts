import type { Meter, ObservableGauge, ObservableResult } from '@opentelemetry/api';
import { AUDIT_FINDING_KINDS } from '../domain/audit-findings';
import { FINDING_KINDS } from '../domain/findings';
import type { AuditFindingRepository } from '../orders-audit/findings.repository';
import type { FindingRepository } from '../payments/findings/findings.repository';
import { sampled } from './sampled';
import type { SystemStateRepository } from './system-state.repository';

const OPEN = ['pending', 'confirmed'] as const;
/** Without those that an ADMIN has disabled, who knows of it. */
const DISABLED_REASONS = ['gone', 'failing'] as const;

export interface SystemMetricsDeps {
  state: SystemStateRepository;
  findings: Pick<FindingRepository, 'countOpen'>;
  /** Those of audits of the orders. */
  damage: Pick<AuditFindingRepository, 'countOpen'>;
}

/**
 * Measures the state of the whole system, as MongoDB has it. Each worker of events tells the same, so what reads the metrics
 * takes the highest. What is not known, since MongoDB does not answer, is absent.
 */
export function measureSystem(meter: Meter, { state, findings, damage }: SystemMetricsDeps): void {
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description });

  /** Measures what one reading tells. */
  function measure<T, Gauges extends Record<string, ObservableGauge>>(
    gauges: Gauges,
    read: () => Promise<T>,
    observe: (value: T, tell: (name: keyof Gauges, value: number, labels?: Labels) => void) => void,
  ): void {
    const sample = sampled(read);
    meter.addBatchObservableCallback(async (result) => {
      const value = await sample();
      if (value === undefined) return;
      observe(value, (name, number, labels) => result.observe(gauges[name]!, number, labels));
    }, Object.values(gauges));
  }

  const open = gauge(
    'orders_open',
    'Open orders that are not archived, by status; at most 100 000 are counted',
  );
  const oldest = gauge(
    'orders_oldest_age_seconds',
    'Time since the oldest of them was created; 0 without any',
  );
  for (const status of OPEN)
    measure(
      { open, oldest },
      () => state.withStatus(status),
      (found, tell) => {
        tell('open', found.count, { status });
        tell('oldest', secondsSince(found.oldest), { status });
      },
    );
  measure(
    {
      overdue: gauge('orders_overdue', 'Orders of which a part is fulfilled that wait too long for the rest'),
    },
    state.overdue,
    (count, tell) => tell('overdue', count),
  );
  measure(
    {
      pending: gauge('order_compensations_pending', 'Compensations that keep failing'),
      oldest: gauge(
        'order_compensation_oldest_age_seconds',
        'Time since the oldest of them is owed; 0 without any',
      ),
    },
    state.failingCompensations,
    (found, tell) => {
      tell('pending', found.count);
      tell('oldest', secondsSince(found.oldest));
    },
  );
  measure(
    { lag: gauge('events_lag_seconds', 'Time since all writes have become events; some seconds at most') },
    state.followedAt,
    (followedAt, tell) => {
      if (followedAt) tell('lag', secondsSince(followedAt));
    },
  );
  measure(
    {
      pending: gauge(
        'webhook_deliveries_pending',
        'Deliveries of events that wait for an attempt; at most 100 000 are counted',
      ),
    },
    state.pendingDeliveries,
    (count, tell) => tell('pending', count),
  );
  measure(
    {
      disabled: gauge(
        'webhook_endpoints_disabled',
        'Webhook endpoints that were disabled since they have failed for too long, or are gone, by reason',
      ),
      failing: gauge(
        'webhook_endpoint_oldest_failing_seconds',
        'How long the endpoint that fails the longest does, of those that are enabled; 0 without any',
      ),
    },
    state.failingEndpoints,
    (endpoints, tell) => {
      for (const reason of DISABLED_REASONS)
        tell('disabled', endpoints.filter((one) => one.disabledReason === reason).length, { reason });
      const enabled = endpoints.filter(({ disabledReason }) => !disabledReason);
      tell('failing', Math.max(0, ...enabled.map(({ failingSince }) => secondsSince(failingSince))));
    },
  );
  measure(
    {
      open: gauge(
        'reconciliation_findings_open',
        'Differences between orders and the payment service that were not set right, by kind',
      ),
    },
    findings.countOpen,
    (counts, tell) => {
      for (const kind of FINDING_KINDS) tell('open', counts[kind] ?? 0, { kind });
    },
  );
  measure(
    {
      open: gauge(
        'orders_audit_findings_open',
        'Damage in orders, stock, workflows and events that was found and not set right, by kind',
      ),
    },
    damage.countOpen,
    (counts, tell) => {
      for (const kind of AUDIT_FINDING_KINDS) tell('open', counts[kind] ?? 0, { kind });
    },
  );
  measure(
    {
      unsealed: gauge(
        'audit_unsealed_entries',
        'Entries of the audit log that have no place in its chain yet',
      ),
      oldest: gauge(
        'audit_unsealed_oldest_age_seconds',
        'Time since the oldest of them was written; 0 without any',
      ),
    },
    state.unsealedAudit,
    (found, tell) => {
      tell('unsealed', found.count);
      tell('oldest', secondsSince(found.oldest));
    },
  );
  measure(
    {
      age: gauge(
        'upkeep_last_end_age_seconds',
        'Time since regular work has ended last, or since it was set up if it never has',
      ),
    },
    state.upkeepEnded,
    (ended, tell) => {
      for (const { work, at } of ended) tell('age', secondsSince(at), { work });
    },
  );
  measure(
    { used: gauge('mongodb_filesystem_used_ratio', 'Part of the file system of MongoDB that is used') },
    state.filesystemUsed,
    (ratio, tell) => tell('used', ratio),
  );
}

type Labels = Parameters<ObservableResult['observe']>[1];

function secondsSince(time: Date | null): number {
  return time ? Math.max(0, (Date.now() - time.getTime()) / 1_000) : 0;
}
