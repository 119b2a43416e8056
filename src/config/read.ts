import Joi from 'joi';
import type { EnvOf, Process, Section, Variables } from './section';

export class ConfigError extends Error {
  constructor(readonly mistakes: string[]) {
    super(`The configuration is invalid. Correct these environment variables:\n- ${mistakes.join('\n- ')}`);
    this.name = 'ConfigError';
  }
}

export interface Variable {
  name: string;
  section: string;
  readBy: readonly Process[];
  rule: Joi.Schema;
}

export function variablesOf({ title, readBy, variables }: Section): Variable[] {
  return Object.entries(variables).map(([name, rule]) => {
    const { tags = readBy } = rule.describe() as { tags?: Process[] };
    return { name, section: title, readBy: tags, rule };
  });
}

/**
 * Reads the variables of sections for a process. A variable that it does not read counts as not set.
 * @throws {ConfigError} that lists every mistake
 */
export function readVariables<V extends Variables>(
  sections: readonly Section<V>[],
  reader: Process,
  env: NodeJS.ProcessEnv,
): EnvOf<V> {
  const { value, error } = schemaOf(sections, reader).validate(withoutEmpty(env));
  if (error) throw new ConfigError(error.details.map(({ message }) => message));
  return value as EnvOf<V>;
}

type Env = EnvOf<Variables>;

function schemaOf(sections: readonly Section[], reader: Process): Joi.ObjectSchema<Env> {
  const rules = sections
    .flatMap(variablesOf)
    .map(({ name, readBy, rule }) => [name, readBy.includes(reader) ? rule : unread(rule)]);
  const schema = Joi.object<Env>(Object.fromEntries(rules) as Joi.SchemaMap)
    .messages({ together: '{#problem}' })
    .prefs({ abortEarly: false, stripUnknown: true, errors: { wrap: { label: false } } });
  return sections.reduce(
    (checked, { check }) => (check ? checked.custom(together(check, reader)) : checked),
    schema,
  );
}

/** Ignores the value: the result is the default, or undefined. */
function unread(rule: Joi.Schema): Joi.Schema {
  const { flags } = rule.describe() as { flags?: { default?: string } };
  const ignored = Joi.any().empty(Joi.any());
  return flags?.default === undefined ? ignored : ignored.default(flags.default);
}

function together(check: NonNullable<Section['check']>, reader: Process): Joi.CustomValidator<Env> {
  return (env, helpers) => {
    const problem = check(env, { reader, given: helpers.original as NodeJS.ProcessEnv });
    return problem === undefined ? env : helpers.error('together', { problem });
  };
}

/** Compose files and CI set variables that have no value to the empty string. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}
