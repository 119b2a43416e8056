import type { ScenarioResult } from '../harness/results';
import type { System } from '../harness/system';

export interface ScenarioOptions {
  /** Rounds of each contender. */
  rounds: number;
  /** Length of a round, in seconds. */
  seconds: number;
}

/** A measurement, with its own servers. */
export type Scenario = (system: System, options: ScenarioOptions) => Promise<ScenarioResult>;
