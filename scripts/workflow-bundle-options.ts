import type { BundleOptions } from '@temporalio/worker';
import { join } from 'node:path';

/**
 * How workflows are bundled. They are loaded once per worker and not once per workflow, which holds only for modules
 * that keep nothing in variables of their own (`preloadModules` of the SDK); a lint rule sees to that.
 * @param folder of the compiled or the source workflows
 * @param extension of their files
 * @param workflowsPath of others than ours
 */
export function workflowBundleOptions(
  folder: string,
  extension: 'js' | 'ts',
  workflowsPath = join(folder, `index.${extension}`),
): Pick<BundleOptions, 'workflowsPath' | 'preloadModules'> {
  return { workflowsPath, preloadModules: [join(folder, `stack-traces.${extension}`), workflowsPath] };
}
