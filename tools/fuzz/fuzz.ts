import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFuzzOptions, type FuzzOptions } from './options';
import { planRuns, sessionIsGood } from './plan';
import { runSchemathesis, type RunContext, type RunOutcome } from './run-schemathesis';
import { startDemoStack, type RunningStack } from '../devstack/demo-stack';
import { createOutput, secondsSince, type Output } from '../output';
import { SetupError } from '../project';
import { pythonPackages, type PythonPackages } from '../python';

/** Exact versions with their hashes; the first line of the file says how it is made. */
const REQUIREMENTS = join(__dirname, 'requirements.txt');

/** `npm run fuzz`: runs schemathesis on a running API from its OpenAPI document, once per role. */
async function main(output: Output): Promise<boolean> {
  const start = Date.now();
  const options = readFuzzOptions(process.argv.slice(2), process.env);
  const schemathesis = await schemathesisOrSkip(options, output);
  if (schemathesis === undefined) return true;

  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort());
  const { reportFolder } = options;
  await rm(reportFolder, { recursive: true, force: true });
  await mkdir(reportFolder, { recursive: true });
  const { signal } = stopping;
  const stack = await startDemoStack(reportFolder, output, signal);
  try {
    const { examples, seed } = options;
    const context: RunContext = {
      schemathesis,
      baseUrl: stack.baseUrl,
      folder: reportFolder,
      examples,
      seed,
      output,
      signal,
    };
    const outcomes = await fuzz(stack, options, context);
    output.line(
      `\n${summary(outcomes, stack)}\nfuzzed in ${secondsSince(start)}; reports are in ${reportFolder}`,
    );
    return outcomes.every(({ passed }) => passed) && stack.deaths.length === 0;
  } finally {
    await stack.stop();
  }
}

async function schemathesisOrSkip(options: FuzzOptions, output: Output): Promise<PythonPackages | undefined> {
  try {
    return await pythonPackages('schemathesis', REQUIREMENTS, process.env, output);
  } catch (error) {
    if (!options.mayBeSkipped || !(error instanceof SetupError)) throw error;
    output.line(`skipped fuzzing: ${error.message}`);
    return undefined;
  }
}

async function fuzz(stack: RunningStack, options: FuzzOptions, context: RunContext): Promise<RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  for (const run of await planRuns(stack, options)) {
    const outcome = await runSchemathesis(run, context);
    const isGood = await sessionIsGood(stack, run.token);
    if (!isGood) {
      const { output } = context;
      output.line(
        `${run.title}: the session ended during the run, so later requests were rejected. Add the operation that ` +
          'ended it to ENDS_SESSIONS in tools/fuzz/exceptions.ts.',
      );
    }
    outcomes.push({ ...outcome, passed: outcome.passed && isGood });
  }
  return outcomes;
}

function summary(outcomes: RunOutcome[], { deaths }: RunningStack): string {
  const lines = outcomes.map(
    ({ title, passed, cases, seconds, folder }) =>
      `${passed ? 'passed' : 'FAILED'}  ${title}: ${cases}, ${seconds}${passed ? '' : `; see ${folder}.log`}`,
  );
  return [...lines, ...deaths.map((death) => `FAILED  ${death}`)].join('\n');
}

main(createOutput())
  .then((passed) => process.exit(passed ? 0 : 1))
  .catch((error: unknown) => {
    console.error(error instanceof SetupError ? `npm run fuzz: ${error.message}` : error);
    process.exit(1);
  });
