import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';

const page = readFileSync(join(PROJECT_ROOT, 'docs', 'guarantees.md'), 'utf8');
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

interface Promised {
  promise: string;
  heldBy: string;
  notCovered: string;
}

/** Each promise is a paragraph in bold, and followed by a list of what holds it and what it does not cover. */
const promises = [...page.matchAll(/^\*\*([\s\S]+?)\*\*\n\n((?:(?:- | {2}).+\n)*)/gm)].map(
  ([, promise, list]): Promised => {
    const [, heldBy = '', notCovered = ''] =
      /^- Held by: ([\s\S]+)^- Not covered: ([\s\S]+)$/m.exec(list!) ?? [];
    return { promise: oneLine(promise!), heldBy: oneLine(heldBy), notCovered: oneLine(notCovered) };
  },
);

it('has promises', () => {
  expect(promises.length).toBeGreaterThan(20);
  expect(promises).toHaveLength(page.match(/^\*\*/gm)!.length);
});

it('names only files and folders that exist', () => {
  const named = [...page.matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, path]) => path!);
  expect(named.length).toBeGreaterThan(promises.length);
  expect(named.filter((path) => !existsSync(join(PROJECT_ROOT, path)))).toEqual([]);
});

it('makes each promise in one sentence', () => {
  expect(promises.map(({ promise }) => promise).filter((text) => !/^[^.]+\.$/.test(text))).toEqual([]);
});

it('names a test for each promise, and what it does not cover', () => {
  const isHeld = ({ heldBy }: Promised) => /`test\/[\w./-]+\.test\.ts`/.test(heldBy);
  const hasLimits = ({ notCovered }: Promised) => /\w.+\.$/.test(notCovered);
  const lacking = promises.filter((one) => !isHeld(one) || !hasLimits(one));
  expect(lacking.map(({ promise }) => promise)).toEqual([]);
});
