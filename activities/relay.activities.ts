import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { Lead } from '../src/events/lead';
import type { Relay } from '../src/events/relay';

/** After this, another worker may continue, so that none relays permanently. */
const TURN_MS = 3_600_000;

export interface RelayActivityDeps {
  relay: Relay;
  /** Aborts when the worker stops, so that another one continues at once. */
  stopping: AbortSignal;
}

/** How far the relay has come. */
export interface RelayReport {
  term: number;
  position: number;
  /** Whether another process has taken over. */
  isSuperseded: boolean;
}

export type RelayActivities = ReturnType<typeof createRelayActivities>;

export function createRelayActivities({ relay, stopping }: RelayActivityDeps) {
  return {
    /** Makes events of all that is written, until another worker is to continue. */
    async relayEvents(): Promise<RelayReport> {
      const report: RelayReport = { term: 0, position: 0, isSuperseded: false };
      const turn = AbortSignal.timeout(TURN_MS);
      const signal = AbortSignal.any([cancellationSignal(), stopping, turn]);
      const end = await relay({
        signal,
        onProgress({ term, position, followedAt }: Lead) {
          if (term !== report.term) log.info('relaying events', { term, position, followedAt });
          Object.assign(report, { term, position });
          heartbeat(report);
        },
      });
      return { ...report, isSuperseded: end === 'superseded' };
    },
  };
}
