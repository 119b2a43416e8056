/** What the API processes and their primary tell each other. */

/** To the primary: one more request of each of these clients; how many are there? */
export interface CountRequests {
  type: 'count';
  id: number;
  requests: { key: string; windowMs: number }[];
}

/** The answer, for each in turn. */
export interface Counted {
  type: 'counted';
  id: number;
  counts: Count[];
}

export interface Count {
  /** Requests in the client's window with this one. */
  used: number;
  /** How long the window still lasts. */
  msLeft: number;
}

/** From the primary: finish what is under way, and end. */
export interface Stop {
  type: 'stop';
}

export function isMessage<T extends { type: string }>(message: unknown, type: T['type']): message is T {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === type;
}
