import type { BundleOptions } from '@temporalio/worker';
import { join } from 'node:path';

/**
 * Returns how workflows are bundled. Modules are loaded once per worker and not once per workflow
 * (`preloadModules` of the SDK), which is safe only if they keep nothing in variables of their own; a lint
 * rule ensures that.
 * @param folder of the compiled or the source workflows
 * @param extension of their files
 * @param workflowsPath of other workflows than ours
 */
export function workflowBundleOptions(
  folder: string,
  extension: 'js' | 'ts',
  workflowsPath = join(folder, `index.${extension}`),
): Pick<BundleOptions, 'workflowsPath' | 'preloadModules' | 'workflowInterceptorModules'> {
  const traceContext = join(folder, `trace-context.${extension}`);
  return {
    workflowsPath,
    preloadModules: [join(folder, `stack-traces.${extension}`), traceContext, workflowsPath],
    workflowInterceptorModules: [traceContext], // with tracing on and off, so that both run the same code
  };
}
