import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { WorkerConfig } from '../config';

/** Where `npm run build` puts the bundles, from `dist/src/versions`. */
const DIST = join(__dirname, '..', '..');
const PLAIN_BUNDLE = 'workflow-bundle.js';
/** With payload keys, failures are converted by another one. */
const ENCODED_BUNDLE = 'workflow-bundle.encoded.js';
const BUILD_ID_CHARACTERS = 12;

/** The path of the bundle that `npm run build` made. */
export function bundleFor({ payloadKeys }: Pick<WorkerConfig, 'payloadKeys'>): string {
  return join(DIST, payloadKeys.length > 0 ? ENCODED_BUNDLE : PLAIN_BUNDLE);
}

/**
 * Identifies the workflow code, which is the same with and without payload keys: either can continue a workflow. Activities
 * are no part of it: they have to suit the workflows of two releases anyway. The SDK's own id has 92 characters.
 */
export async function buildIdOf(bundle: string): Promise<string> {
  const file = basename(bundle) === ENCODED_BUNDLE ? join(dirname(bundle), PLAIN_BUNDLE) : bundle;
  const hash = createHash('sha256').update(await readFile(file));
  return hash.digest('hex').slice(0, BUILD_ID_CHARACTERS);
}
