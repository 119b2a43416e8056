import Joi, { type CustomHelpers } from 'joi';

/** The longest delay of a timer in Node.js, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** An integer of at least 1. */
export const count = (fallback: number, max = 1_000_000) =>
  Joi.number().integer().min(1).max(max).default(fallback);

/** The entries of a comma-separated list. */
export function entriesOf(list: string): string[] {
  return list.split(',').map((entry) => entry.trim());
}

/** Returns whether the variables that are being checked are those of a process in production. */
export function isProduction({ state }: CustomHelpers): boolean {
  return (state.ancestors[0] as { NODE_ENV: string }).NODE_ENV === 'production';
}
