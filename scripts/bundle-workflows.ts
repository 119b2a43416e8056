import { bundleWorkflowCode, type BundleOptions } from '@temporalio/worker';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { workflowBundleOptions } from './workflow-bundle-options';

/** This file runs from there, compiled. */
const DIST = join(__dirname, '..');

/**
 * Builds the workflow bundles ahead of time, so that a worker starts in a second and all run the same code.
 */
async function main(): Promise<void> {
  await writeBundle('workflow-bundle.js', {});
  await writeBundle('workflow-bundle.encoded.js', {
    failureConverterPath: join(DIST, 'src', 'temporal', 'encoded-failures.js'),
  });
}

/** The bundle for use with PAYLOAD_KEYS differs only in how it encodes failures. */
async function writeBundle(name: string, options: Partial<BundleOptions>): Promise<void> {
  const { code } = await bundleWorkflowCode({
    ...workflowBundleOptions(join(DIST, 'workflows'), 'js'),
    logger: quietLogger,
    ...options,
  });
  const bundle = join(DIST, name);
  await writeFile(`${bundle}.new`, code);
  await rename(`${bundle}.new`, bundle); // a worker that is starting reads the old one or the new one, whole
}

/** Leaves out Webpack's statistics, but not warnings and errors. */
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
  console.error(`The workflow bundles cannot be built: ${error.message}`);
  process.exitCode = 1;
});
