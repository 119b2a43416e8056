import { join } from 'node:path';

/** The folder of package.json. */
export const PROJECT_ROOT = join(__dirname, '..');

/** Returns the command that removes the development data of this process. */
export function resetCommand({ DATA_DIR } = process.env): string {
  return DATA_DIR ? `DATA_DIR=${shellWord(DATA_DIR)} npm run reset` : 'npm run reset';
}

/** Returns a text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Thrown when the user has to act: the message says what happened and what to do, and is shown without its
 * stack.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
