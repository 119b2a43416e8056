import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/**
 * Reads the password from a pipe, or from the terminal without showing it. It is never an argument, which every user of
 * the machine could see.
 */
export async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, '');
  process.stdout.write('Password of the ADMIN (12 to 128 characters): ');
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({ input: process.stdin, output: hidden, terminal: true });
  const password = await input.question('');
  input.close();
  process.stdout.write('\n');
  return password;
}
