import Joi, { type CustomHelpers, type DateSchema, type StringSchema } from 'joi';

const CALENDAR_DATE = /^(\d{4})-(\d{2})-(\d{2})(?!\d)/;

const MESSAGES = { 'date.impossible': '{#label} must be a day that the calendar has' };

/** A time in ISO 8601, as a date. JavaScript takes 30 February for 2 March; here it is refused. */
export function isoTime(): DateSchema {
  return Joi.date().iso().custom(refuseImpossible).messages(MESSAGES);
}

/** The same where nothing is converted: it stays a text, which `new Date` can read. */
export function isoTimeText(): StringSchema {
  return Joi.string().isoDate().custom(refuseImpossible).messages(MESSAGES).prefs({ abortEarly: true });
}

function refuseImpossible(value: unknown, { original, error }: CustomHelpers): unknown {
  // ISO 8601 has more than JavaScript can read, such as weeks, or hours without minutes.
  if (typeof value === 'string' && Number.isNaN(Date.parse(value))) return error('string.isoDate');
  const [, year, month, day] = CALENDAR_DATE.exec(String(original)) ?? [];
  if (day === undefined) return value;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= days ? value : error('date.impossible');
}
