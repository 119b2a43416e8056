import { freeze } from './freeze';
import { operator } from './operator';
import { random } from './random';
import { replicaSet } from './replica-set';
import { resources } from './resources';
import { restart } from './restart';
import { restore } from './restore';
import { soak } from './soak';
import type { Scenario } from './scenario';
import { swallow } from './swallow';

/** By their names. Each is a file of this folder. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = Object.fromEntries(
  [swallow, random, operator, replicaSet, freeze, restart, restore, resources, soak].map((scenario) => [
    scenario.name,
    scenario,
  ]),
);
