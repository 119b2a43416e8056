import Joi, { type CustomHelpers, type DateSchema } from 'joi';

const CALENDAR_DATE = /^(\d{4})-(\d{2})-(\d{2})(?!\d)/;

/** A time in ISO 8601. JavaScript takes 30 February for 2 March; here it is refused. */
export function isoTime(): DateSchema {
  return Joi.date().iso().custom(refuseImpossible).messages({
    'date.impossible': '{#label} must be a day that the calendar has',
  });
}

function refuseImpossible(value: Date, { original, error }: CustomHelpers): unknown {
  const [, year, month, day] = CALENDAR_DATE.exec(String(original)) ?? [];
  if (day === undefined) return value;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= days ? value : error('date.impossible');
}
