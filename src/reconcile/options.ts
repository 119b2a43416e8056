import Joi from 'joi';
import { parseArgs } from 'node:util';
import { isoTime, isoTimeAfter } from '../common/dates';
import type { ReconciliationRequest } from '../domain/reconciliation';

const USAGE =
  'Usage: npm run reconcile [-- --from <time> --to <time> --repair --json]. A time is for example 2026-01-31 or ' +
  '2026-01-31T09:00:00Z; by default the last eight days are compared.';

export interface ReconcileOptions {
  request: ReconciliationRequest;
  /** Whether findings are printed as lines of JSON. */
  asJson: boolean;
}

const schema = Joi.object<{ from?: Date; to?: Date; repair: boolean; json: boolean }, true>({
  from: isoTime(),
  to: isoTimeAfter('from'),
  repair: Joi.boolean().default(false),
  json: Joi.boolean().default(false),
}).prefs({ abortEarly: false, errors: { wrap: { label: false } } });

/** @throws {Error} with the usage */
export function parseOptions(args: string[]): ReconcileOptions {
  const { value, error } = schema.validate(valuesOf(args));
  if (error) throw new Error(`${error.message}. ${USAGE}`);
  const { from, to, repair, json } = value;
  return { request: { from: from?.toISOString(), to: to?.toISOString(), repair }, asJson: json };
}

function valuesOf(args: string[]): object {
  const [text, flag] = [{ type: 'string' as const }, { type: 'boolean' as const }];
  try {
    return parseArgs({ args, options: { from: text, to: text, repair: flag, json: flag } }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message} ${USAGE}`, { cause: error });
  }
}
