import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';
import { sample } from '../support/sample';
import { blocksOf, type Block } from './markdown';
import { missingLine } from './output';
import { startStack, type Stack } from './stack';

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'shell', 'console']);
const MARKER = /^(start|test|drill|not-run: \S.*)$/;
/** Separates what the blocks of a page print. */
const NEXT_BLOCK = '\u001e';

/** A block that is run, and what the page shows of its output. */
interface Command {
  block: Block;
  shown?: Block;
}

const read = (name: string) => readFileSync(join(PROJECT_ROOT, name), 'utf8');

const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: PROJECT_ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((name) => ({ name, blocks: blocksOf(join(PROJECT_ROOT, name)) }));

function commandsOf(blocks: readonly Block[], marker: string): Command[] {
  return blocks.flatMap((block, index) => {
    if (!SHELLS.has(block.language) || block.marker !== marker) return [];
    const next = blocks[index + 1];
    return [{ block, shown: next?.marker === 'output' ? next : undefined }];
  });
}

function scriptOf(commands: readonly Command[]): string {
  return commands.map(({ block }) => `printf '${NEXT_BLOCK}'\n${block.text}\n`).join('');
}

it.each(pages)('$name marks each of its shell blocks as run or not run', ({ name, blocks }) => {
  const unmarked = blocks.filter(({ language, marker }) => SHELLS.has(language) && !MARKER.test(marker));
  expect(unmarked.map(({ line }) => `${name}:${line}`)).toEqual([]);
});

describe('names in the text', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  /** A path in backticks that begins with a folder of the project, but for the `x` of an example. */
  const PATH = /`((?:src|workflows|activities|test|tools|scripts|bench|deploy|docs)\/(?!x\/)[\w./-]*)`/g;

  it.each(pages)('$name mentions only npm scripts that exist', ({ name }) => {
    const mentioned = [...read(name).matchAll(/\bnpm run (?:-s |--silent )?([\w:-]+)/g)].map(
      ([, script]) => script!,
    );
    expect(mentioned.filter((script) => !scripts.includes(script))).toEqual([]);
  });

  it.each(pages)('$name mentions only files and folders that exist', ({ name }) => {
    const mentioned = [...read(name).matchAll(PATH)].map(([, path]) => path!);
    expect(mentioned.filter((path) => !existsSync(join(PROJECT_ROOT, path)))).toEqual([]);
  });
});

function onARunningSystem(): void {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack?.stop());

  function expectShown(name: string, { shown }: Command, output: string): void {
    const line = shown && missingLine(stack.withPorts(shown.text), output);
    if (line !== undefined)
      throw new Error(`${name}:${shown!.line} shows what is not in the output: ${line}\n\n${output}`);
  }

  it('npm start prints what the README shows', () => {
    const [start] = commandsOf(pages.find(({ name }) => name === 'README.md')!.blocks, 'start');
    expect(start!.block.text).toBe('npm start');
    expectShown('README.md', start!, stack.output);
  });

  const runnable = pages
    .map(({ name, blocks }) => ({ name, commands: commandsOf(blocks, 'test') }))
    .filter(({ commands }) => commands.length > 0);

  it.each(runnable)('the commands of $name work in their order', async ({ name, commands }) => {
    const { code, stdout, stderr } = await stack.run(scriptOf(commands));
    const [, ...outputs] = stdout.split(NEXT_BLOCK);
    const last = commands[outputs.length - 1]?.block.line;
    if (code !== 0) throw new Error(`${name}:${last} exits with ${code}:\n${stdout}\n${stderr}`);
    commands.forEach((command, index) => expectShown(name, command, outputs[index]!));
  });
}

for (const run of sample('docs/commands: systems on which all pages run', [onARunningSystem])) {
  describe('on a running system', run);
}
