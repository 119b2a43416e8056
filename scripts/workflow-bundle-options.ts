import type { BundleOptions } from '@temporalio/worker';
import { join } from 'node:path';

/**
 * How workflows are bundled. They are loaded once per worker and not once per workflow, which holds only for modules
 * that keep nothing in variables of their own (`preloadModules` of the SDK).
 * @param folder of the compiled or the source workflows
 * @param extension of their files
 */
export function workflowBundleOptions(
  folder: string,
  extension: 'js' | 'ts',
): Pick<BundleOptions, 'workflowsPath' | 'preloadModules'> {
  const workflowsPath = join(folder, `index.${extension}`);
  return { workflowsPath, preloadModules: [join(folder, `stack-traces.${extension}`), workflowsPath] };
}
