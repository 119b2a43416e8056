import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { PROJECT_ROOT } from './project';

/**
 * `npm run figures`: prints how large the rooms, files and functions of the project are. It judges nothing.
 */
function main(): void {
  const product = sources(/^(src|workflows|activities)\/.*\.ts$/);
  const tooling = sources(/^(scripts|tools|bench)\/.*\.(ts|mjs|py)$/);
  const tests = sources(/^test\/.*\.(ts|mjs)$/);
  const lines = { product: total(product), tooling: total(tooling), tests: total(tests) };
  const share = (part: number) => `${((100 * part) / lines.product).toFixed(0)} % of the product`;
  const trees = product.map(parse);
  const functions = trees.flatMap(ownLines);
  const comments = sum(trees.map(commentLines));
  const mutual = mutualImports(trees);
  print('Product (src, workflows, activities)', `${product.length} files, ${lines.product} lines`);
  print('Tooling (scripts, tools, bench)', `${lines.tooling} lines, ${share(lines.tooling)}`);
  print('Tests', `${lines.tests} lines, ${share(lines.tests)}`);
  print('Files per folder', spread(countBy(product.map(({ path }) => dirname(path)))));
  print('Lines per file', spread(product.map(({ text }) => lineCount(text))));
  print('Own lines per function', spread(functions));
  print('Comment lines', share(comments));
  print('Folders of src that import each other', [mutual.length, ...mutual].join('  '));
  print('README', `${read('README.md').split(/\s+/).filter(Boolean).length} words`);
}

interface Source {
  path: string;
  text: string;
}

function sources(pattern: RegExp): Source[] {
  const tracked = execFileSync('git', ['ls-files'], { cwd: PROJECT_ROOT, encoding: 'utf8' }).split('\n');
  return tracked.filter((path) => pattern.test(path)).map((path) => ({ path, text: read(path) }));
}

function read(path: string): string {
  return readFileSync(join(PROJECT_ROOT, path), 'utf8');
}

function parse({ path, text }: Source): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** Lines of each function with a body, without those of the functions in it. */
function ownLines(file: ts.SourceFile): number[] {
  const own: number[] = [];
  const spanOf = (node: ts.Node): number => {
    const line = (position: number) => file.getLineAndCharacterOfPosition(position).line;
    return line(node.getEnd()) - line(node.getStart(file)) + 1;
  };
  /** Returns how many lines the functions in the node take beyond those that they share with it. */
  const visit = (node: ts.Node): number => {
    let inner = 0;
    ts.forEachChild(node, (child) => void (inner += visit(child)));
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return inner;
    const span = spanOf(node);
    own.push(span - inner);
    return span - 1;
  };
  visit(file);
  return own;
}

/** Lines that hold nothing but a comment. */
function commentLines(file: ts.SourceFile): number {
  const found = new Set<number>();
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of ts.getLeadingCommentRanges(file.text, node.getFullStart()) ?? []) {
      const [first, last] = [pos, end].map((position) => file.getLineAndCharacterOfPosition(position));
      const isAlone = file.text.slice(pos - first!.character, pos).trim() === '';
      for (let line = first!.line + (isAlone ? 0 : 1); line <= last!.line; line++) found.add(line);
    }
    node.getChildren(file).forEach(visit);
  };
  visit(file);
  return found.size;
}

function mutualImports(files: ts.SourceFile[]): string[] {
  const imports = new Set<string>();
  const folders = new Set(files.map(({ fileName }) => dirname(fileName)));
  for (const file of files) {
    const from = dirname(file.fileName);
    for (const { fileName: name } of ts.preProcessFile(file.text).importedFiles) {
      if (!name.startsWith('.')) continue;
      const target = normalize(join(from, name));
      imports.add(`${from} ${folders.has(target) ? target : dirname(target)}`);
    }
  }
  return [...imports].flatMap((edge) => {
    const [from, to] = edge.split(' ') as [string, string];
    const isMutual = from < to && from.startsWith('src/') && imports.has(`${to} ${from}`);
    return isMutual ? [`${from} and ${to}`] : [];
  });
}

function lineCount(text: string): number {
  return text.split('\n').length - 1;
}

function total(files: Source[]): number {
  return sum(files.map(({ text }) => lineCount(text)));
}

function sum(values: number[]): number {
  return values.reduce((one, other) => one + other, 0);
}

function countBy(keys: string[]): number[] {
  return [...new Set(keys)].map((key) => keys.filter((other) => other === key).length);
}

function spread(values: number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, max ${sorted.at(-1)}`;
}

function print(what: string, figure: string): void {
  console.log(`${what.padEnd(40)}${figure}`);
}

main();
