import { join } from 'node:path';

/** The folder of package.json. */
export const PROJECT_ROOT = join(__dirname, '..');

/** What removes the development data that this process uses. */
export function resetCommand({ DATA_DIR } = process.env): string {
  return DATA_DIR ? `DATA_DIR=${shellWord(DATA_DIR)} npm run reset` : 'npm run reset';
}

/** A text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** An error whose message is for the person at the keyboard: what happened and what to do, no stack. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
