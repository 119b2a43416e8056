import { audit } from './audit';
import { carts } from './carts';
import { events } from './events';
import { http } from './http';
import { jwt } from './jwt';
import { mail } from './mail';
import { mongodb } from './mongodb';
import { orders } from './orders';
import { payloadKeys } from './payload-keys';
import { payments } from './payments';
import { personalData } from './personal-data';
import { process } from './process';
import { signIn } from './sign-in';
import { readVariables, variablesOf, type Variable } from './read';
import type { Process, Section } from './section';
import { telemetry } from './telemetry';
import { temporal } from './temporal';
import { webhooks } from './webhooks';
import { versions } from './versions';
import { worker } from './worker';

export { ConfigError } from './read';
export type { Process, Variable };

/** In the order of the documentation. */
const SECTIONS = {
  process,
  mongodb,
  temporal,
  payloadKeys,
  http,
  signIn,
  mail,
  jwt,
  orders,
  carts,
  payments,
  worker,
  versions,
  telemetry,
  audit,
  personalData,
  events,
  webhooks,
};

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

/** Every variable, for the documentation. */
export const VARIABLES: readonly Variable[] = Object.values(SECTIONS).flatMap(variablesOf);

/**
 * Reads what a process needs to know of the environment, and nothing else.
 * @throws {ConfigError} that lists every mistake
 */
export function loadConfig<P extends Process>(reader: P, env: NodeJS.ProcessEnv): ConfigOf<P> {
  const sections = Object.entries<Section>(SECTIONS).filter(([, { readBy }]) => readBy.includes(reader));
  const values = readVariables(
    sections.map(([, section]) => section),
    reader,
    env,
  );
  const parts = sections.map(([name, { config }]) => [name, config(values)]);
  const { process: own, ...rest } = Object.fromEntries(parts) as { process: object };
  return { ...own, ...rest } as ConfigOf<P>;
}
