import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';

const read = (...path: string[]) => readFileSync(join(PROJECT_ROOT, ...path), 'utf8');
const exported = [...read('workflows', 'index.ts').matchAll(/export \{ (\w+) \}/g)].map(([, name]) => name!);
const sources = readdirSync(join(PROJECT_ROOT, 'workflows'))
  .filter((name) => name.endsWith('.workflow.ts'))
  .map((name) => read('workflows', name))
  .join('\n');

/** Returns how the workflow type is versioned, and the reason beside that. */
function versioningOf(type: string): { behavior?: string; reason?: string } {
  const [, reason, behavior] =
    new RegExp(
      String.raw`^// (.+)\nsetWorkflowOptions\(\{ versioningBehavior: (\w+) \}, ${type}\);$`,
      'm',
    ).exec(sources) ?? [];
  return { behavior, reason };
}

it('each workflow type says whether it stays with a version, and why', () => {
  expect(exported.length).toBeGreaterThan(10);
  for (const type of exported)
    expect({ type, ...versioningOf(type) }).toEqual({
      type,
      behavior: expect.stringMatching(/^(PINNED|AUTO_UPGRADE)$/) as string,
      reason: expect.stringMatching(/^[A-Z].+\.$/) as string,
    });
});

it('docs/architecture.md says the same of each', () => {
  const rows = [
    ...read('docs', 'architecture.md').matchAll(/^\| (`\w+Workflow`.*?) +\| (pinned|auto-upgrade) +\|/gm),
  ];
  const documented = rows.flatMap(([, types, behavior]) =>
    [...types!.matchAll(/`(\w+)`/g)].map(([, type]) => [type, behavior!.toUpperCase().replace('-', '_')]),
  );
  expect(Object.fromEntries(documented)).toEqual(
    Object.fromEntries(exported.map((type) => [type, versioningOf(type).behavior])),
  );
});
