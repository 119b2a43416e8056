export interface MMc {
  arrivalsPerSecond: number;
  meanServiceSeconds: number;
  servers: number;
}

/** Erlang C: the probability that an arrival has to wait in M/M/c; 1 when the servers do not suffice. */
export function waitProbability({ arrivalsPerSecond, meanServiceSeconds, servers }: MMc): number {
  const offered = arrivalsPerSecond * meanServiceSeconds; // erlangs
  if (offered >= servers) return 1;
  let blocking = 1; // Erlang B by its recursion, which does not overflow
  for (let n = 1; n <= servers; n++) blocking = (offered * blocking) / (n + offered * blocking);
  return blocking / (1 - (offered / servers) * (1 - blocking));
}

/** The mean wait in M/M/c before service, seconds; infinite when the servers do not suffice. */
export function meanWaitSeconds(queue: MMc): number {
  const spare = queue.servers / queue.meanServiceSeconds - queue.arrivalsPerSecond;
  return spare <= 0 ? Infinity : waitProbability(queue) / spare;
}
