import Joi, {
  type CustomHelpers,
  type CustomValidator,
  type DateSchema,
  type ErrorReport,
  type StringSchema,
} from 'joi';

/**
 * Accepted forms of ISO 8601: a month, a day, or a time with its offset, so that no server's time zone matters. The offset
 * may lack its colon, and `T` and `Z` may be small (RFC 3339, 5.6).
 */
const TIME =
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2}))?)?$/i;
const OFFSET_WITHOUT_COLON = /([+-]\d{2})(\d{2})$/;

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
  const toDate: CustomValidator<string, Date> = (text, helpers) => {
    if (SPACE_FOR_PLUS.test(text)) return helpers.error('date.space');
    const time = readable(text);
    return time === undefined ? helpers.error('date.time') : inCalendar(time, new Date(time), helpers);
  };
  return timeSchema(toDate) as unknown as DateSchema;
}

/** A `+` in a query stands for a space, so that the time of a client that does not encode it has one. */
const SPACE_FOR_PLUS = / \d{2}:?\d{2}$/;

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
 * The schema of a time of day in a body, where nothing is converted: it stays a text, which `new Date` can read.
 */
export function isoTimeText(): StringSchema {
  return timeSchema((text: string, helpers) => {
    const time = readable(text);
    if (!time?.includes('T')) return helpers.error('date.timeOfDay');
    return inCalendar(time, time, helpers);
  });
}

function timeSchema<T>(read: CustomValidator<string, T>): StringSchema {
  return Joi.string()
    .custom(read)
    .meta({ jsonSchema: { format: 'date-time' } })
    .messages(MESSAGES);
}

/** Returns the time as `new Date` reads it, or undefined if it has none of the accepted forms. */
function readable(text: string): string | undefined {
  if (!TIME.test(text)) return undefined;
  const upper = text.toUpperCase();
  const time = upper.includes('T') ? upper.replace(OFFSET_WITHOUT_COLON, '$1:$2') : upper;
  return Number.isNaN(Date.parse(time)) ? undefined : time;
}

/** Returns the value if the day of the time exists. */
function inCalendar<T>(time: string, value: T, { error }: CustomHelpers): T | ErrorReport {
  const [, year, month, day] = TIME.exec(time)!;
  if (day === undefined) return value;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= days ? value : error('date.impossible');
}
