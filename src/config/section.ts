import type Joi from 'joi';

/** `setup` stands for every command that prepares the servers: setup, seed and create-admin. */
export type Process = 'api' | 'worker' | 'setup';

/**
 * The rules of variables by their names. Each also carries what the documentation says of it: `description`, `unit`,
 * an `example` where it has no default, and a `note` in place of a default that is not a constant. With `tag`, only
 * those processes read the variable.
 */
export type Variables = Readonly<Record<string, Joi.Schema>>;

/** The values that the rules let through. */
export type EnvOf<V extends Variables> = {
  [Name in keyof V]: V[Name] extends Joi.AnySchema<infer Value> ? Value : never;
};

export interface CheckContext {
  /** The process that reads them. */
  reader: Process;
  /** The variables that are set, without defaults. */
  given: NodeJS.ProcessEnv;
}

/** The variables of one subject, and the part of the configuration that is made of them. */
export interface Section<V extends Variables = Variables, Reader extends Process = Process, Part = unknown> {
  title: string;
  readBy: readonly Reader[];
  variables: V;
  /** Returns what is wrong with the variables together, if anything. */
  check?(env: EnvOf<V>, context: CheckContext): string | undefined;
  config(env: EnvOf<V>): Part;
}

/** Infers the types of a section. */
export function section<V extends Variables, Reader extends Process, Part>(
  definition: Section<V, Reader, Part>,
): Section<V, Reader, Part> {
  return definition;
}
