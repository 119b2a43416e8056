import Joi, { type CustomHelpers, type DateSchema, type StringSchema } from 'joi';

/** What is taken of ISO 8601: a month, a day, or a time that says its offset, so that no server's own zone counts. */
const TIME = /^(\d{4})-(\d{2})(?:-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?)?$/;

const MESSAGES = {
  'date.timeOfDay': '{#label} must be a time such as 2026-01-31T09:00:00Z or 2026-01-31T10:00:00+01:00',
  'date.impossible': '{#label} must be a day that the calendar has',
  'date.time':
    '{#label} must be a time such as 2026-01-31, 2026-01-31T09:00:00Z or 2026-01-31T10:00:00+01:00',
};

/** A time in ISO 8601, as a date. JavaScript takes 30 February for 2 March; here it is refused. */
export function isoTime(): DateSchema {
  return Joi.date().iso().custom(refuseImpossible).messages(MESSAGES);
}

/** A time of day where nothing is converted: it stays a text, which `new Date` can read. */
export function isoTimeText(): StringSchema {
  return Joi.string().isoDate().custom(refuseImpossible).messages(MESSAGES).prefs({ abortEarly: true });
}

function refuseImpossible(value: unknown, { original, error }: CustomHelpers): unknown {
  const [whole, year, month, day] = TIME.exec(String(original)) ?? [];
  const isText = typeof value === 'string';
  if (whole === undefined || Number.isNaN(Date.parse(whole)) || (isText && !whole.includes('T')))
    return error(isText ? 'date.timeOfDay' : 'date.time');
  if (day === undefined) return value;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= days ? value : error('date.impossible');
}
