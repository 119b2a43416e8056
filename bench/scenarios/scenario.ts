import type { ScenarioResult } from '../harness/results';
import type { System } from '../harness/system';

export interface ScenarioOptions {
  /** Rounds of each contender. */
  rounds: number;
  /** Length of a round. */
  seconds: number;
}

/** Something that is measured; it gets servers of its own. */
export type Scenario = (system: System, options: ScenarioOptions) => Promise<ScenarioResult>;
