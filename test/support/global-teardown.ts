import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export default async function globalTeardown(): Promise<void> {
  globalThis.stopSharedShops?.();
  await globalThis.servers?.stop();
  const bundle = process.env.TEST_WORKFLOW_BUNDLE;
  const data = process.env.TEST_DATA_DIR;
  if (data) await rm(data, { recursive: true, force: true });
  if (bundle) await rm(dirname(bundle), { recursive: true, force: true });
}
