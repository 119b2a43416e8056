import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Output } from '../../../tools/output';
import { PLATFORM, type Tool } from '../../../tools/devstack/binaries/tools';

/** Makes a folder with a space in its name, as some users have. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'orders test '));
}

export async function writeScript(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

export const answering = (version: string): string => `#!/bin/sh\necho "frobd version ${version}"\n`;

/**
 * Writes a `python3` whose pip logs its arguments to `pip.log` and "downloads" a wheel with version 2.5.0.
 */
export function fakePython(folder: string): Promise<string> {
  return writeScript(
    join(folder, 'python3'),
    `#!/bin/sh
if [ "$1" = -c ]; then
  printf '#!/bin/sh\\necho "frobd version 2.5.0"\\n' > "$5"
  exit 0
fi
for last; do :; done
case "$*" in
  *download*) echo "$@" >> "${folder}/pip.log"; cat "$(echo "$@" | sed 's/.*-r \\(.*\\) -d .*/\\1/')" >> "${folder}/pip.log"
    touch "$last/frob.whl" ;;
esac
`,
  );
}

/** Returns a tool that no machine has, whose official download is the given script. */
export function fakeTool(officialScript: string): Tool {
  return {
    name: 'frob',
    executable: 'frobd',
    title: 'Frob',
    addressVariable: 'FROB_ADDRESS',
    versionPattern: /frobd version (\d+)\.(\d+)\.(\d+)/,
    oldest: { version: [2, 1], reason: 'for the tests' },
    official: { version: '3.0.0', host: 'frob.invalid', script: officialScript },
    wheel: {
      project: 'frob-bin',
      version: '1.0',
      toolVersion: '2.5.0',
      files: { [PLATFORM]: { sha256: 'a'.repeat(64), bytes: 10 } },
    },
    installPage: 'https://frob.invalid/install',
  };
}

export function collectingOutput(): Output & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    line: (text) => void lines.push(text),
    transfer: () => ({ update: () => undefined, end: () => undefined }),
  };
}
