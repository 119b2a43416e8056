import Joi, { type CustomHelpers, type DateSchema, type StringSchema } from 'joi';

/**
 * Accepted forms of ISO 8601: a month, a day, or a time with its offset, so that no server's time zone
 * matters.
 */
const TIME = /^(\d{4})-(\d{2})(?:-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?)?$/;

const MESSAGES = {
  'date.timeOfDay': '{#label} must be a time, for example 2026-01-31T09:00:00Z or 2026-01-31T10:00:00+01:00',
  'date.impossible': '{#label} must be a valid date',
  'date.space':
    '{#label} has a space where its offset begins: send the + as %2B, for example 10:00:00%2B01:00',
  'date.time':
    '{#label} must be a time, for example 2026-01-31, 2026-01-31T09:00:00Z or 2026-01-31T10:00:00+01:00',
};

/**
 * The schema of a time in ISO 8601, converted to a Date. It rejects 30 February, which JavaScript reads as 2
 * March.
 */
export function isoTime(): DateSchema {
  return joi.date().custom(rejectImpossible).messages(MESSAGES);
}

/** A `+` in a query stands for a space, so that the time of a client that does not encode it has one. */
const SPACE_FOR_PLUS = / \d{2}:?\d{2}$/;

const joi = Joi.extend({
  type: 'date',
  base: Joi.date().iso(),
  coerce: {
    from: 'string',
    method: (value: string, { error }: CustomHelpers) =>
      SPACE_FOR_PLUS.test(value) ? { value, errors: [error('date.space')] } : { value },
  },
}) as { date(): DateSchema };

/** The schema of a time that ends a period: after that of the parameter which begins it, if both are there. */
export function isoTimeAfter(beginning: string): DateSchema {
  return isoTime()
    .custom((end: unknown, { state, error }: CustomHelpers) => {
      const [{ [beginning]: begin }] = state.ancestors as [Record<string, unknown>];
      const isPeriod = !(begin instanceof Date && end instanceof Date) || begin < end;
      return isPeriod ? end : error('date.period', { beginning });
    })
    .messages({ 'date.period': '{#label} must be after {#beginning}' });
}

/**
 * The schema of a time of day in a body, where nothing is converted: it stays a text that `new Date` can
 * read.
 */
export function isoTimeText(): StringSchema {
  return Joi.string().isoDate().custom(rejectImpossible).messages(MESSAGES).prefs({ abortEarly: true });
}

function rejectImpossible(value: unknown, { original, error }: CustomHelpers): unknown {
  const [whole, year, month, day] = TIME.exec(String(original)) ?? [];
  const isText = typeof value === 'string';
  if (whole === undefined || Number.isNaN(Date.parse(whole)) || (isText && !whole.includes('T')))
    return error(isText ? 'date.timeOfDay' : 'date.time');
  if (day === undefined) return value;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= days ? value : error('date.impossible');
}
