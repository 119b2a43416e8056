import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT, SetupError } from '../project';

export const ROLES = ['PUBLIC', 'CUSTOMER', 'ADMIN'] as const;
export type FuzzRole = (typeof ROLES)[number];

export interface FuzzOptions {
  /** Per operation. */
  examples: number;
  seed: number;
  roles: readonly FuzzRole[];
  phases: readonly string[];
  /** Only these operations; all of them if empty. */
  operations: string[];
  /** For logs and reports; it is emptied first. */
  reportFolder: string;
  /** Without Python the run is skipped, but it fails in CI. */
  mayBeSkipped: boolean;
}

/** All phases of schemathesis. */
const PHASES = ['examples', 'coverage', 'fuzzing', 'stateful'];
const DEFAULT_EXAMPLES = 500;
const DEFAULT_SEED = 20_261_124;

/** Reads the command line, and the number of examples also from FUZZ_EXAMPLES. */
export function readFuzzOptions(argv: string[], env: NodeJS.ProcessEnv): FuzzOptions {
  const { values } = parse(argv);
  const roles = values.role?.map((role) => role.toUpperCase()) ?? [...ROLES];
  const unknown = roles.find((role) => !ROLES.includes(role as FuzzRole));
  if (unknown) throw new SetupError(`--role must be one of ${ROLES.join(', ')}, not ${unknown}`);
  const phases = values.phase ?? PHASES;
  const odd = phases.find((phase) => !PHASES.includes(phase));
  if (odd) throw new SetupError(`--phase must be one of ${PHASES.join(', ')}, not ${odd}`);
  return {
    phases,
    examples: wholeNumber('examples', values.examples ?? (env.FUZZ_EXAMPLES || String(DEFAULT_EXAMPLES))),
    seed: wholeNumber('seed', values.seed ?? String(DEFAULT_SEED)),
    roles: roles as FuzzRole[],
    operations: values.operation ?? [],
    reportFolder: resolve(PROJECT_ROOT, values.report ?? 'fuzz-report'),
    mayBeSkipped: values.skippable === true && !env.CI,
  };
}

function parse(argv: string[]): { values: ReturnType<typeof parseOptions>['values'] } {
  try {
    return parseOptions(argv);
  } catch (error) {
    throw new SetupError(
      `${(error as Error).message}. The options are --examples N, --seed N, --role ROLE, --phase PHASE, --operation ID and --report FOLDER.`,
    );
  }
}

const parseOptions = (args: string[]) =>
  parseArgs({
    args,
    options: {
      examples: { type: 'string' },
      seed: { type: 'string' },
      role: { type: 'string', multiple: true },
      phase: { type: 'string', multiple: true },
      operation: { type: 'string', multiple: true },
      report: { type: 'string' },
      skippable: { type: 'boolean' },
    },
  });

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new SetupError(`--${name} must be a whole number above 0, not ${text}`);
}
