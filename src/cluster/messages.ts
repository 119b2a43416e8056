/** What the API processes and their primary tell each other. */

/** To the primary: one more request of that client; how many are there? */
export interface CountRequest {
  type: 'count';
  id: number;
  key: string;
  windowMs: number;
}

/** The answer: requests in the client's window with this one, and how long the window still lasts. */
export interface Counted {
  type: 'counted';
  id: number;
  used: number;
  msLeft: number;
}

/** From the primary: finish what is under way, and end. */
export interface Stop {
  type: 'stop';
}

export function isMessage<T extends { type: string }>(message: unknown, type: T['type']): message is T {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === type;
}
