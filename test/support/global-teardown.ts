import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export default async function globalTeardown(): Promise<void> {
  globalThis.stopSharedShops?.();
  await globalThis.servers?.stop();
  const bundle = process.env.TEST_WORKFLOW_BUNDLE;
  if (bundle) await rm(dirname(bundle), { recursive: true, force: true });
}
