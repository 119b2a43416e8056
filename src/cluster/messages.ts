import type { Count } from '../rate-limit/store';

/** Asks the primary to count one more request of each of these clients. */
export interface CountRequests {
  type: 'count';
  id: number;
  requests: { key: string; windowMs: number }[];
}

/** The primary's reply, with a count for each request in turn. */
export interface Counted {
  type: 'counted';
  id: number;
  counts: Count[];
}

/** Asks an API process for its metrics. */
export interface Collect {
  type: 'collect';
  id: number;
}

/** The process's reply, in the text format of Prometheus. */
export interface Collected {
  type: 'collected';
  id: number;
  text: string;
}

/** Has an API process log from this level on. */
export interface SetLogLevel {
  type: 'log-level';
  level: string;
}

/** Asks an API process to finish the requests in flight and exit. */
export interface Stop {
  type: 'stop';
}

export function isMessage<T extends { type: string }>(message: unknown, type: T['type']): message is T {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === type;
}
