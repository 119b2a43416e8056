import Joi from 'joi';
import { http } from './http';
import { jwt } from './jwt';
import { mongodb } from './mongodb';
import { orders } from './orders';
import { payloadKeys } from './payload-keys';
import { payments } from './payments';
import { process } from './process';
import type { Process, Section } from './section';
import { temporal } from './temporal';
import { worker } from './worker';

export type { Process };

/** In the order of the documentation. */
const SECTIONS = { process, mongodb, temporal, payloadKeys, http, jwt, orders, payments, worker };

type Sections = typeof SECTIONS;
type PartsOf<P extends Process> = {
  [Name in keyof Sections as P extends Sections[Name]['readBy'][number] ? Name : never]: ReturnType<
    Sections[Name]['config']
  >;
};

/** What a process reads, by section; the values of the section `process` are at the top. */
export type ConfigOf<P extends Process> = ReturnType<typeof process.config> & Omit<PartsOf<P>, 'process'>;
export type Config = ConfigOf<'api'>;
export type WorkerConfig = ConfigOf<'worker'>;

export interface Variable {
  name: string;
  section: string;
  readBy: readonly Process[];
  rule: Joi.Schema;
}

/** Every variable, for the documentation. */
export const VARIABLES: readonly Variable[] = Object.values(SECTIONS).flatMap(variablesOf);

export class ConfigError extends Error {
  constructor(readonly mistakes: string[]) {
    super(`The configuration is invalid. Correct these environment variables:\n- ${mistakes.join('\n- ')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads what a process needs to know of the environment, and nothing else: other variables count as not set.
 * @throws {ConfigError} that lists every mistake
 */
export function loadConfig<P extends Process>(reader: P, env: NodeJS.ProcessEnv): ConfigOf<P> {
  const sections = Object.entries<Section>(SECTIONS).filter(([, { readBy }]) => readBy.includes(reader));
  const { value, error } = schemaOf(
    reader,
    sections.map(([, section]) => section),
  ).validate(withoutEmpty(env));
  if (error) throw new ConfigError(error.details.map(({ message }) => message));
  const parts = sections.map(([name, { config }]) => [name, config(value)]);
  const { process: own, ...rest } = Object.fromEntries(parts) as { process: object };
  return { ...own, ...rest } as ConfigOf<P>;
}

function schemaOf(reader: Process, sections: Section[]): Joi.ObjectSchema<Record<string, unknown>> {
  const rules = sections
    .flatMap(variablesOf)
    .map(({ name, readBy, rule }) => [name, readBy.includes(reader) ? rule : unread(rule)]);
  const schema = Joi.object(Object.fromEntries(rules) as Joi.SchemaMap)
    .messages({ together: '{#problem}' })
    .prefs({ abortEarly: false, stripUnknown: true, errors: { wrap: { label: false } } });
  return sections.reduce((checked, { check }) => (check ? checked.custom(together(check)) : checked), schema);
}

function variablesOf({ title, readBy, variables }: Section): Variable[] {
  return Object.entries(variables).map(([name, rule]) => {
    const { tags = readBy } = rule.describe() as { tags?: Process[] };
    return { name, section: title, readBy: tags, rule };
  });
}

/** Ignores the value: the result is the default, or undefined. */
function unread(rule: Joi.Schema): Joi.Schema {
  const { flags } = rule.describe() as { flags?: { default?: string } };
  const ignored = Joi.any().empty(Joi.any());
  return flags?.default === undefined ? ignored : ignored.default(flags.default);
}

function together(check: NonNullable<Section['check']>): Joi.CustomValidator<Record<string, unknown>> {
  return (env, helpers) => {
    const problem = check(env);
    return problem === undefined ? env : helpers.error('together', { problem });
  };
}

/** Compose files and CI set variables that have no value to the empty string. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}
