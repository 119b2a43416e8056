import Joi, { type CustomHelpers } from 'joi';

/** The longest delay of a timer in Node.js, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** An integer of at least 1. */
export const count = (fallback: number, max = 1_000_000) =>
  Joi.number().integer().min(1).max(max).default(fallback);

/** A number, or 0 for no limit. */
export const limit = (fallback: number) => Joi.number().integer().min(0).max(1_000_000).default(fallback);

/** The entries of a comma-separated list. */
export function entriesOf(list: string): string[] {
  return list.split(',').map((entry) => entry.trim());
}

/** Returns whether the variables that are being checked are those of a process in production. */
export function isProduction({ state }: CustomHelpers): boolean {
  return (state.ancestors[0] as { NODE_ENV: string }).NODE_ENV === 'production';
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time span such as 6d, at least 1s. */
export const optionalDuration = () =>
  Joi.string<string | undefined>()
    .pattern(/^[1-9]\d{0,4}[smhd]$/)
    .messages({ 'string.pattern.base': '{#label} must be a duration such as 6d, 12h, 30m or 90s' });

/** The same with a default. */
export const duration = (byDefault: string) =>
  (optionalDuration() as Joi.StringSchema<string>).default(byDefault);

/** A time span such as 6d, or 0. */
export const durationOrZero = (byDefault: string) =>
  Joi.string()
    .pattern(/^(0|[1-9]\d{0,4}[smhd])$/)
    .default(byDefault)
    .messages({ 'string.pattern.base': '{#label} must be 0, or a duration such as 12h, 30m or 90s' });

/** @param span such as 6d, which the rule has checked */
export function millisecondsOf(span: string): number {
  return span === '0' ? 0 : Number(span.slice(0, -1)) * UNIT_MS[span.at(-1)!]!;
}
