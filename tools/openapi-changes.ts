import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goProgram, type GoProgram } from './go';
import type { Output } from './output';
import { removeFolder } from './owned-folder';
import { run } from './run';

const OASDIFF: GoProgram = {
  name: 'oasdiff',
  module: 'github.com/oasdiff/oasdiff',
  version: 'v1.37.0',
  folder: '.',
};
/** What oasdiff exits with when a client of the first document would not work with the second one. */
const BREAKS = 1;

/**
 * Returns what would break a client of the first document; nothing is left if all that changed are additions.
 * A value that is added to a set of values breaks clients that are generated.
 * @throws {SetupError} without Go, of which oasdiff is built once per user
 */
export async function breakingChanges(committed: string, current: string, output: Output): Promise<string[]> {
  const oasdiff = await goProgram(OASDIFF, process.env, output);
  const folder = await mkdtemp(join(tmpdir(), 'openapi-changes-'));
  try {
    const [base, revision] = [join(folder, 'committed.json'), join(folder, 'current.json')];
    await writeFile(base, committed);
    await writeFile(revision, current);
    const args = ['breaking', base, revision, '--fail-on', 'ERR', '--format', 'singleline'];
    const { code, stdout, stderr } = await run(oasdiff, [...args, '--color', 'never']);
    if (code === 0) return [];
    if (code !== BREAKS) throw new Error(`oasdiff failed with ${code}: ${stderr}`);
    const errors = stdout.split('\n').filter((line) => line.startsWith('error'));
    return errors.map((line) => line.replace(/^error at .*?, in API /, ''));
  } finally {
    await removeFolder(folder);
  }
}
