import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SetupError } from '../project';
import type { PythonPackages } from '../python';
import { lastLine, run, type RunOptions } from '../run';

/** A client that openapi-generator makes, and a program that leads an order through its life by it. */
export interface GeneratedClient {
  language: string;
  /** The generator and its options. */
  generator: string[];
  /** @throws {SetupError} if what compiles and runs it cannot be had here. */
  build(folder: string, packages: PythonPackages): Promise<Command>;
}

export interface Command {
  command: string;
  args: string[];
  options: RunOptions;
}

const HOUR_MS = 3_600_000;
/** The version is named, because Maven would look for the newest. */
const CLASSPATH = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath';
const JAR = ['openapi_generator_cli', 'openapi-generator.jar'];
/** Without `webhooks`: of those, the generator for Python makes what is not Python. */
const PARTS = 'apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false';

const python: GeneratedClient = {
  language: 'Python',
  generator: ['python', 'packageName=orders'],
  async build(folder, { command, env, folder: packages }) {
    const options = { cwd: folder, env: { ...env, PYTHONPATH: `${folder}:${packages}` } };
    await must(command, ['-m', 'compileall', '-q', 'orders'], options);
    return { command, args: [join(__dirname, 'life.py')], options };
  },
};

const go: GeneratedClient = {
  language: 'Go',
  generator: ['go', 'packageName=orders,enumClassPrefix=true'],
  async build(folder) {
    // A Go that is too old says so, instead of downloading another one.
    const options = { cwd: folder, env: { ...process.env, GOFLAGS: '', GOTOOLCHAIN: 'local' } };
    await mkdir(join(folder, 'life'));
    await copyFile(join(__dirname, 'life.go'), join(folder, 'life', 'main.go'));
    const module = join(folder, 'go.mod');
    const generated = await readFile(module, 'utf8');
    await writeFile(module, generated.replace(/^module .*$/m, 'module example.com/orders'));
    await available('go', ['list', '-m'], options);
    await must('go', ['build', '-o', 'order-life', './life'], options);
    return { command: join(folder, 'order-life'), args: [], options };
  },
};

const java: GeneratedClient = {
  language: 'Java',
  generator: [
    'java',
    'invokerPackage=orders,apiPackage=orders.api,modelPackage=orders.model,containerDefaultToNull=true',
  ],
  async build(folder) {
    const options = { cwd: folder };
    await available('javac', ['-version'], options);
    await available('mvn', ['-q', '-B', CLASSPATH, '-Dmdep.outputFile=classpath'], options);
    const classpath = `${await readFile(join(folder, 'classpath'), 'utf8')}:classes`;
    const sources = await readdir(join(folder, 'src', 'main', 'java'), { recursive: true });
    const files = sources.filter((name) => name.endsWith('.java')).map((name) => `src/main/java/${name}`);
    const arguments_ = ['-nowarn', '-proc:none', '-d', 'classes', '-cp', classpath, ...files];
    await must('javac', [...arguments_, join(__dirname, 'Life.java')], options);
    return { command: 'java', args: ['-cp', classpath, 'Life'], options };
  },
};

export const GENERATED_CLIENTS: readonly GeneratedClient[] = [python, go, java];

/**
 * Generates a client of the document, and compiles it.
 * @throws {SetupError} if a tool cannot be had here
 * @throws {Error} with what the generator or the compiler says
 */
export async function buildClient(
  { generator: [name, properties], build }: GeneratedClient,
  document: string,
  folder: string,
  packages: PythonPackages,
): Promise<Command> {
  await available('java', ['-version'], {});
  const jar = join(packages.folder, ...JAR);
  const options = ['-i', document, '-g', name!, '-o', folder, '--global-property', PARTS];
  await must('java', [
    '-jar',
    jar,
    'generate',
    ...options,
    '--additional-properties',
    `${properties},hideGenerationTimestamp=true`,
  ]);
  return build(folder, packages);
}

/** Runs a program to its end. @throws {Error} with its output if it fails */
export async function must(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { timeoutMs: HOUR_MS, ...options });
  if (code === 0) return stdout;
  throw new Error(`${command} ${args[0] ?? ''} failed with ${code}:\n${stdout}${stderr}`);
}

/** Runs what shows whether a tool can be had. @throws {SetupError} if not */
export async function available(command: string, args: string[], options: RunOptions): Promise<void> {
  const failed = (error: unknown) => ({ code: 1, stdout: '', stderr: messageOf(error) });
  const { code, stdout, stderr } = await run(command, args, options).catch(failed);
  if (code !== 0) throw new SetupError(`${command} is not to be had: ${lastLine(stdout + stderr)}`);
}
