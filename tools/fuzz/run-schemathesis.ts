import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TEXT_PATTERNS } from '../../src/common/text-patterns';
import { secondsSince, type Output } from '../output';
import { REJECTIONS } from './exceptions';
import { settings, TOKEN_VARIABLE } from './settings';
import type { PythonPackages } from '../python';
import type { KnownValues } from './known-values';

export interface FuzzRun {
  /** For example `CUSTOMER`; also the name of its folder. */
  title: string;
  phases: string;
  token: string | undefined;
  operationIds: string[];
  known: Map<string, KnownValues[]>;
}

export interface RunContext {
  schemathesis: PythonPackages;
  baseUrl: string;
  /** For the reports; each run has a subfolder. */
  folder: string;
  examples: number;
  seed: number;
  output: Output;
  signal: AbortSignal;
}

export interface RunOutcome {
  title: string;
  passed: boolean;
  /** As schemathesis counts: `1869 generated, 0 failures …`. */
  cases: string;
  seconds: string;
  folder: string;
}

const HEARTBEAT_MS = 30_000;
/** Lines of schemathesis that show its progress; the rest is in its log. */
const PROGRESS = /^ (✅|❌|🚫|⏭|⏭️) +[A-Z]/u;

/** Runs schemathesis, shows its progress, and leaves its log and reports in a folder. */
export async function runSchemathesis(run: FuzzRun, context: RunContext): Promise<RunOutcome> {
  const { output, examples, seed } = context;
  const start = Date.now();
  const folder = join(context.folder, run.title.toLowerCase().replaceAll(' ', '-'));
  const config = join(context.folder, `${run.title.toLowerCase().replaceAll(' ', '-')}.toml`);
  await writeFile(config, settings(run.known, run.token !== undefined));
  const args = [
    '-m',
    'schemathesis.cli',
    '--config-file',
    config,
    'run',
    `${context.baseUrl}/api/openapi.json`,
    '--checks',
    'all',
    '--phases',
    run.phases,
    '--mode',
    'all',
    '--max-examples',
    String(examples),
    '--seed',
    String(seed),
    '--generation-database',
    'none',
    '--report',
    'junit,json,html',
    '--report-dir',
    folder,
    '--no-color',
    ...run.operationIds.flatMap((id) => ['--include-operation-id', id]),
  ];
  output.line(
    `\n${run.title}: ${run.operationIds.length} operations, ${examples} examples each, seed ${seed}`,
  );
  const heartbeat = setInterval(() => output.line(`${run.title} … ${secondsSince(start)}`), HEARTBEAT_MS);
  let cases = 'no cases';
  try {
    const code = await follow(context, run.token, args, `${folder}.log`, (line) => {
      if (PROGRESS.test(line)) output.line(`${run.title} ${line.trim()}, ${secondsSince(start)} so far`);
      if (/^ +\d+ generated/.test(line)) cases = line.trim();
    });
    return { title: run.title, passed: code === 0, cases, seconds: secondsSince(start), folder };
  } finally {
    clearInterval(heartbeat);
  }
}

function follow(
  { schemathesis, signal }: RunContext,
  token: string | undefined,
  args: string[],
  logFile: string,
  onLine: (line: string) => void,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const log = createWriteStream(logFile);
    const env = {
      ...schemathesis.env,
      PYTHONUNBUFFERED: '1',
      FUZZ_REJECTIONS: JSON.stringify(REJECTIONS),
      FUZZ_TEXT_PATTERNS: JSON.stringify(TEXT_PATTERNS),
      [TOKEN_VARIABLE]: token,
    };
    const child = spawn(schemathesis.command, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        onLine(line);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => log.end(() => resolve(code)));
  });
}
