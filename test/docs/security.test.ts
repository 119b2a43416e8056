import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';

const read = (name: string) => readFileSync(join(PROJECT_ROOT, name), 'utf8');
const rowsOf = (page: string) =>
  page
    .split('\n')
    .filter((line) => /^\| (API|\d)/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

it.each(['SECURITY.md', 'docs/security.md'])('%s names tests that exist', (name) => {
  const named = [...read(name).matchAll(/`(test\/[\w./-]+\.ts)`/g)].map(([, path]) => path!);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((path) => !existsSync(join(PROJECT_ROOT, path)))).toEqual([]);
});

describe('the checklist', () => {
  const rows = rowsOf(read('docs/security.md'));

  it('has all ten of the API Security Top 10, and every chapter of the ASVS', () => {
    const items = rows.map(([, item]) => item!);
    for (let n = 1; n <= 10; n++) expect(items.filter((item) => item.startsWith(`API${n} `))).toHaveLength(1);
    for (let n = 1; n <= 17; n++) expect(items.filter((item) => item.startsWith(`${n}.`))).not.toEqual([]);
  });

  it('says of each item whether it holds, and how, what is missing, or why it does not apply', () => {
    for (const [, item, state, how] of rows) {
      expect([item, state]).toEqual([item, expect.stringMatching(/^(holds|partly|not applicable)$/)]);
      expect(how).not.toBe('');
    }
  });

  it('names a test, a command or a page for each item that holds', () => {
    const claims = rows.filter(([, , state]) => state === 'holds');
    const isShown = /`test\/[\w./-]+\.ts`|`npm run [\w:]+`|\]\([\w-]+\.md/;
    expect(claims.filter(([, , , how]) => !isShown.test(how!)).map(([, item]) => item)).toEqual([]);
  });
});
