import { basename } from 'node:path';
import type { WorkerConfig } from '../../src/config';
import { bundleFor } from '../../src/versions/bundle';

it('runs the bundle whose failures are encoded if there are keys for payloads', () => {
  const bundleWith = (payloadKeys: unknown[]) => basename(bundleFor({ payloadKeys } as WorkerConfig));
  expect([bundleWith([]), bundleWith(['key'])]).toEqual(['workflow-bundle.js', 'workflow-bundle.encoded.js']);
});
