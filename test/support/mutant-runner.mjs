import { transformSync } from '@swc/core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * @typedef {object} Test
 * @property {string} id
 * @property {string} file
 * @property {() => unknown} run
 */

const require = createRequire(import.meta.url);

/** Jest itself does not depend on the tables and matchers that its tests are written with; its test framework does. */
const framework = ['jest/package.json', '@jest/core', 'jest-config', 'jest-circus'].reduce(
  (from, name) => createRequire(from.resolve(name)),
  require,
);
const each = framework('jest-each');
const { jestExpect } = framework('@jest/expect');

/** What instrumented code shares with its runner. It keeps the first object that it finds, so this one stays. */
const stryker = (globalThis.__stryker__ ??= {});

/** Compiled files, by path: a mutant of what a file does when it is loaded makes all of them load again. */
const compiled = new Map();
require.extensions['.ts'] = (module, file) => {
  let code = compiled.get(file);
  if (code === undefined) {
    const jsc = { parser: { syntax: 'typescript' }, target: 'es2022' };
    const source = readFileSync(file, 'utf8');
    ({ code } = transformSync(source, { filename: file, jsc, module: { type: 'commonjs' }, swcrc: false }));
    compiled.set(file, code);
  }
  module._compile(code, file);
};

/**
 * Runs tests that need nothing but their own code, one after the other, in its own process, until one fails. It takes
 * milliseconds for what takes Jest a second for each mutant: files are loaded once for all mutants.
 */
class MutantRunner {
  static inject = ['options'];

  /** @type {Map<string, Test[]>} the tests of each file that is loaded */
  #loaded = new Map();
  #files;

  constructor({ testFiles }) {
    this.#files = testFiles.map((file) => path.resolve(file));
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  init() {
    require('./random.ts').stopAtFirstFailure();
  }

  async dryRun({ coverageAnalysis }) {
    const tests = [];
    try {
      for (const test of this.#files.flatMap((file) => this.#testsOf(file))) {
        if (coverageAnalysis === 'perTest') stryker.currentTestId = test.id;
        const start = performance.now();
        const failureMessage = await failureOf(test);
        stryker.currentTestId = undefined;
        const timeSpentMs = performance.now() - start;
        const result = { id: test.id, name: test.id, fileName: test.file, timeSpentMs };
        // Statuses are those of Stryker's API.
        tests.push(
          failureMessage === null ? { ...result, status: 0 } : { ...result, status: 1, failureMessage },
        );
      }
    } catch (error) {
      return { status: 'error', errorMessage: String(error?.stack ?? error) };
    }
    return { status: 'complete', tests, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun(options) {
    const result = await this.#tryMutant(options);
    // Tests share modules: see that this one fails because of this mutant, and of nothing that another has left behind.
    if (result.status !== 'killed' || options.reloadEnvironment) return result;
    const killer = [...this.#loaded.values()].flat().find(({ id }) => id === result.killedBy[0]);
    if (killer && (await failureOf(killer)) === null) return result;
    return this.#tryMutant({ ...options, reloadEnvironment: true });
  }

  async #tryMutant({ activeMutant, sandboxFileName, testFilter, hitLimit, reloadEnvironment }) {
    // What loading a file does may change all tests; Stryker then names their files here.
    const filter = !reloadEnvironment && testFilter && new Set(testFilter);
    const named = `${path.basename(sandboxFileName, '.ts')}.test.ts`;
    const isOwn = (file) => path.basename(file) === named;
    const files = this.#files.toSorted((one, other) => isOwn(other) - isOwn(one));
    if (reloadEnvironment) this.#unload();
    let nrOfTests = 0;
    Object.assign(stryker, { hitLimit, hitCount: hitLimit === undefined ? undefined : 0 });
    try {
      for (const file of files) {
        stryker.activeMutant = reloadEnvironment ? activeMutant.id : undefined;
        const tests = this.#testsOf(file).filter(({ id }) => !filter || filter.has(id));
        stryker.activeMutant = activeMutant.id;
        for (const test of tests) {
          nrOfTests++;
          const failureMessage = await failureOf(test);
          if (stryker.hitCount > stryker.hitLimit) return { status: 'timeout', reason: 'It loops.' };
          if (failureMessage !== null)
            return { status: 'killed', killedBy: [test.id], failureMessage, nrOfTests };
        }
      }
      return { status: 'survived', nrOfTests };
    } catch (error) {
      // A file that cannot be loaded fails, as it does in Jest.
      return { status: 'killed', killedBy: [], failureMessage: String(error?.stack ?? error), nrOfTests };
    } finally {
      Object.assign(stryker, { activeMutant: undefined, hitCount: undefined, hitLimit: undefined });
      if (reloadEnvironment) this.#unload();
    }
  }

  #testsOf(file) {
    let tests = this.#loaded.get(file);
    if (!tests) this.#loaded.set(file, (tests = load(file)));
    return tests;
  }

  #unload() {
    this.#loaded.clear();
    for (const file of compiled.keys()) delete require.cache[file];
    require('./random.ts').stopAtFirstFailure();
  }
}

/** @returns {Test[]} */
function load(file) {
  const tests = [];
  const scopes = [path.basename(file, '.test.ts')];
  const describe = (name, define) => {
    scopes.push(name);
    define();
    scopes.pop();
  };
  const it = (name, run) => {
    const id = [...scopes, name].join(' › ');
    const same = tests.filter((one) => one.id === id || one.id.startsWith(`${id} #`)).length;
    tests.push({ id: same === 0 ? id : `${id} #${same + 1}`, file, run });
  };
  describe.each = each.bind(describe, false);
  it.each = each.bind(it, false);
  Object.assign(globalThis, { describe, it, test: it, expect: jestExpect });
  require(file);
  return tests;
}

/** Returns why the test fails, or null. */
async function failureOf(test) {
  try {
    await test.run();
    return null;
  } catch (error) {
    return String(error?.message ?? error) || 'It failed.';
  }
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', injectableClass: MutantRunner }];
