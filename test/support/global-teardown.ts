import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lackingCommands } from './lacking-commands';

export default async function globalTeardown(): Promise<void> {
  globalThis.stopSharedShops?.();
  await globalThis.servers?.stop();
  const lacking = lackingCommands();
  const bundle = process.env.TEST_WORKFLOW_BUNDLE;
  const data = process.env.TEST_DATA_DIR;
  if (data) await rm(data, { recursive: true, force: true });
  if (bundle) await rm(dirname(bundle), { recursive: true, force: true });
  if (lacking.length > 0)
    throw new Error(
      `These commands to MongoDB lack what they need, or a failover may take back what they have read or written:\n${lacking.join('\n')}`,
    );
}
