import Joi from 'joi';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run deploy:versions [-- <command>]. The build is that of this code if none is named.
  status [--json]                   which versions there are, and what runs on them (the default)
  set-current [build] [--timeout 60] has new orders go to a version, once its workers are there
  ramp <percent> [build] [--timeout 60] has a share of new orders go to a version, the same; 0 takes that back
  move [--per-second 50]            tells the open orders of older versions to move to the current one
  drain <build> [--timeout 600]     waits until nothing runs on a version any more
  abandon <build>                   resumes the orders of a version whose workers are gone on the current one`;

const COMMANDS = ['status', 'set-current', 'ramp', 'move', 'drain', 'abandon'] as const;
export type Command = (typeof COMMANDS)[number];

export interface VersionOptions {
  command: Command;
  buildId?: string;
  percentage?: number;
  timeoutMs: number;
  perSecond: number;
  asJson: boolean;
}

const DEFAULT_TIMEOUT_S: Partial<Record<Command, number>> = { 'set-current': 60, ramp: 60, drain: 600 };
const NAMES_BUILD: readonly Command[] = ['set-current', 'ramp', 'drain', 'abandon'];
const NEEDS_BUILD: readonly Command[] = ['drain', 'abandon'];

const schema = Joi.object({
  command: Joi.string().valid(...COMMANDS),
  percentage: Joi.number().min(0).max(100).when('command', { is: 'ramp', then: Joi.required() }),
  buildId: Joi.string()
    .pattern(/^[^\s:]+$/)
    .when('command', { is: Joi.valid(...NEEDS_BUILD), then: Joi.required() }),
  timeout: Joi.number().integer().min(1).max(86_400),
  perSecond: Joi.number().min(1).max(1_000).default(50),
  asJson: Joi.boolean().default(false),
  rest: Joi.array().length(0).messages({ 'array.length': 'there are too many arguments' }),
}).prefs({ errors: { wrap: { label: false } } });

/** @throws {Error} with the usage */
export function parseOptions(args: string[]): VersionOptions {
  const { value, error } = schema.validate(valuesOf(args)) as Joi.ValidationResult<
    VersionOptions & { timeout?: number }
  >;
  if (error) throw new Error(`${error.message}.\n${USAGE}`);
  const { command, buildId, percentage, perSecond, asJson, timeout } = value;
  const timeoutMs = (timeout ?? DEFAULT_TIMEOUT_S[command] ?? 0) * 1_000;
  return { command, buildId, percentage, perSecond, asJson, timeoutMs };
}

function valuesOf(args: string[]): object {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        timeout: { type: 'string' },
        'per-second': { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    const [command = 'status', ...rest] = positionals;
    const percentage = command === 'ramp' ? rest.shift() : undefined;
    const buildId = NAMES_BUILD.some((name) => name === command) ? rest.shift() : undefined;
    const { timeout, 'per-second': perSecond, json: asJson } = values;
    return { command, percentage, buildId, rest, timeout, perSecond, asJson };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`, { cause: error });
  }
}
