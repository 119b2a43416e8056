import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { bundleWorkflowCode, DefaultLogger, type BundleOptions } from '@temporalio/worker';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { workflowBundleOptions } from '../../scripts/workflow-bundle-options';

export const WORKFLOWS_PATH = require.resolve('../../workflows');

/**
 * Bundles the workflows once for all test files, with counters if coverage is collected. Returns the path of
 * the file.
 */
export async function bundleForTests(collectCoverage: boolean): Promise<string> {
  return writeBundle(collectCoverage ? instrumented(plain()) : plain());
}

/**
 * Bundles the workflows for encrypted payloads. Returns the path of the file, whose folder the caller
 * removes.
 */
export async function encodedBundleForTests(): Promise<string> {
  return writeBundle({
    ...plain(),
    failureConverterPath: require.resolve('../../src/temporal/encoded-failures'),
  });
}

/** Bundles the workflows of a next release. Returns the path of the file, whose folder the caller removes. */
export async function changedBundleForTests(): Promise<string> {
  const path = require.resolve('./changed-workflows');
  return writeBundle({
    ...workflowBundleOptions(dirname(WORKFLOWS_PATH), 'ts', path),
    logger: new DefaultLogger('WARN'),
  });
}

function plain(): BundleOptions {
  return { ...workflowBundleOptions(dirname(WORKFLOWS_PATH), 'ts'), logger: new DefaultLogger('WARN') };
}

async function writeBundle(options: BundleOptions): Promise<string> {
  const { code } = await bundleWorkflowCode(options);
  const file = join(await mkdtemp(join(tmpdir(), 'orders-workflow-bundle-')), 'bundle.js');
  await writeFile(file, code);
  return file;
}

/** Adds counters, and preloads no modules: the SDK freezes preloaded modules with their counters. */
function instrumented({ preloadModules: _frozen, ...options }: BundleOptions): BundleOptions {
  (globalThis as { __coverage__?: object }).__coverage__ ??= {}; // tells the library that coverage is collected
  const augmented = new WorkflowCoverage().augmentBundleOptions(options);
  return {
    ...augmented,
    workflowInterceptorModules: [
      ...(options.workflowInterceptorModules ?? []),
      require.resolve('./coverage-interceptor'),
    ],
    webpackConfigHook(config) {
      const hooked = augmented.webpackConfigHook!(config);
      const rule = hooked.module!.rules!.at(-1);
      // The modules that test files import as well are counted there: as they are compiled, the counters cannot be added.
      if (rule && typeof rule === 'object') rule.include = /[/\\]workflows[/\\](?!contract|order\.report)/;
      return hooked;
    },
  };
}
