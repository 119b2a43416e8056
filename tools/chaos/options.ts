import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SetupError } from '../project';

export interface ChaosOptions {
  scenarios: string[];
  seeds: number[];
  minutes: number;
  /** Whether it is the short run that is part of `npm run check`. */
  isShort: boolean;
  /** Where to keep the logs of processes and calls; by default they are removed. */
  keepIn?: string;
}

/** What `npm run chaos` does without arguments, in less than four minutes. */
const SHORT = { scenarios: ['swallow', 'random'], seed: 20_261_130, minutes: 1 };
const USAGE =
  'npm run chaos [-- scenario … --seed N --seeds COUNT --minutes M --keep FOLDER], such as -- random --seed 7 --seeds 40 --minutes 10 for a night';

/** Reads the command line. @throws {SetupError} which says what is wrong with it */
export function readChaosOptions(argv: string[], known: readonly string[]): ChaosOptions {
  const { values, positionals } = parse(argv);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new SetupError(`there is no scenario ${unknown}: choose from ${known.join(', ')}. Usage: ${USAGE}`);
  const first = wholeNumber('seed', values.seed ?? String(SHORT.seed));
  const count = wholeNumber('seeds', values.seeds ?? '1');
  const minutes = Number(values.minutes ?? SHORT.minutes);
  if (!(minutes > 0)) throw new SetupError(`--minutes must be a number above 0, not ${values.minutes}`);
  return {
    scenarios: positionals.length > 0 ? positionals : SHORT.scenarios,
    seeds: Array.from({ length: count }, (_none, index) => first + index),
    minutes,
    isShort: positionals.length === 0,
    ...(values.keep !== undefined && { keepIn: resolve(values.keep) }),
  };
}

function parse(argv: string[]): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(argv);
  } catch (error) {
    throw new SetupError(`${(error as Error).message}. Usage: ${USAGE}`);
  }
}

const parseOptions = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      keep: { type: 'string' },
    },
  });

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new SetupError(`--${name} must be a whole number above 0, not ${text}`);
}
