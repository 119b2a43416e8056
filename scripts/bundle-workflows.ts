import { bundleWorkflowCode } from '@temporalio/worker';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from './servers/project';

/** Builds the workflow bundle ahead of time, so that a worker starts in a second and all run the same code. */
async function main(): Promise<void> {
  const dist = join(PROJECT_ROOT, 'dist');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(dist, 'workflows', 'index.js'),
    logger: quietLogger,
  });
  const bundle = join(dist, 'workflow-bundle.js');
  await writeFile(`${bundle}.new`, code);
  await rename(`${bundle}.new`, bundle); // a worker that is starting reads the old one or the new one, whole
}

/** Webpack's statistics are noise; warnings and errors are not. */
const ignore = (): void => undefined;
const say = (message: string): void => console.error(message);
const quietLogger = {
  log: ignore,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: say,
  error: say,
};

main().catch((error: Error) => {
  console.error(`The workflow bundle cannot be built: ${error.message}`);
  process.exitCode = 1;
});
