/**
 * How many replicas a KEDA ScaledObject with a backlog trigger (AverageValue), and one of utilisation beside it if
 * wanted, comes to by way of the HorizontalPodAutoscaler that KEDA makes of it.
 */
export interface ScalingRules {
  minReplicas: number;
  maxReplicas: number;
  /** Tasks in the backlog per replica that are aimed at (`targetQueueSize` of KEDA's Temporal scaler). */
  targetBacklog: number;
  /** How busy the replicas are to be, 0 to 1; null without such a trigger. */
  targetUtilisation: number | null;
  /** How old the backlog may be that is looked at, seconds: `pollingInterval` with `useCachedMetrics`. */
  pollingSeconds: number;
  /** How often the HPA decides, seconds (`--horizontal-pod-autoscaler-sync-period`). */
  syncSeconds: number;
  /** Before it goes up, the least recommendation of so many seconds counts. */
  scaleUpStabilisationSeconds: number;
  /** Before it goes down, the greatest recommendation of so many seconds counts. */
  scaleDownStabilisationSeconds: number;
  /** So many pods go in a minute at most (a policy of `scaleDown`). */
  scaleDownPodsPerMinute: number;
  /** From being asked for until it polls, seconds, at least and at most: node at hand, image pulled. */
  podStartSeconds: readonly [number, number];
}

/** What the triggers look at. */
export interface Load {
  /** Tasks in the task queue. */
  backlog: number;
  /** As many replicas would be busy all the time. */
  busyReplicas: number;
}

/** What the HPA remembers: what it would have done, and how many replicas there were. */
export interface Decision {
  /** Seconds. */
  at: number;
  recommended: number;
  replicas: number;
}

/** `--horizontal-pod-autoscaler-tolerance` */
const TOLERANCE = 0.1;
/** The policies for going up, Kubernetes' own and the chart's: as many more in 15 s, or so many pods, whichever is more. */
const UP_PERIOD_SECONDS = 15;
const UP_PODS = 4;
const UP_FACTOR = 2;
const DOWN_PERIOD_SECONDS = 60;

/** @param replicas asked for now @param past earlier decisions, oldest first */
export function decide(
  rules: ScalingRules,
  at: number,
  load: Load,
  replicas: number,
  past: readonly Decision[],
): Decision {
  const recommended = clamp(recommend(rules, load, replicas), rules);
  const stable = stabilise(rules, at, recommended, replicas, past);
  const upFrom = Math.min(replicasAt(past, at - UP_PERIOD_SECONDS) ?? replicas, replicas);
  const most = Math.max(UP_FACTOR * upFrom, UP_PODS + upFrom, replicas);
  const downFrom = replicasAt(past, at - DOWN_PERIOD_SECONDS) ?? past[0]?.replicas ?? replicas;
  const least = Math.max(downFrom, replicas) - rules.scaleDownPodsPerMinute;
  const limited = Math.min(Math.max(stable, Math.min(least, replicas)), most);
  return { at, recommended, replicas: clamp(limited, rules) };
}

/** Of several triggers the HPA takes the one that wants most. */
function recommend(
  { targetBacklog, targetUtilisation }: ScalingRules,
  { backlog, busyReplicas }: Load,
  replicas: number,
): number {
  const wanted = [backlog / targetBacklog];
  if (targetUtilisation !== null) wanted.push(busyReplicas / targetUtilisation);
  return Math.max(...wanted.map((ideal) => withTolerance(ideal, replicas)));
}

function withTolerance(ideal: number, replicas: number): number {
  return Math.abs(ideal / replicas - 1) <= TOLERANCE ? replicas : Math.ceil(ideal);
}

function stabilise(
  rules: ScalingRules,
  at: number,
  recommended: number,
  replicas: number,
  past: readonly Decision[],
): number {
  const within = (seconds: number) => [
    recommended,
    ...past.filter((one) => one.at > at - seconds).map((one) => one.recommended),
  ];
  const up = Math.min(...within(rules.scaleUpStabilisationSeconds));
  const down = Math.max(...within(rules.scaleDownStabilisationSeconds));
  return Math.min(Math.max(replicas, up), down);
}

/** How many replicas there were then. */
function replicasAt(past: readonly Decision[], then: number): number | undefined {
  return past.filter((one) => one.at <= then).at(-1)?.replicas;
}

function clamp(replicas: number, { minReplicas, maxReplicas }: ScalingRules): number {
  return Math.min(Math.max(replicas, minReplicas), maxReplicas);
}
