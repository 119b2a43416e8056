import path from 'node:path';
import JestRunner from 'jest-runner';

/**
 * Runs files one after the other, and none after a failure, which kills the mutant: Stryker cannot tell Jest to bail. The file
 * named like the mutated source comes first, because it kills most.
 */
export default class FirstFailureRunner extends JestRunner {
  #mutated;

  constructor(globalConfig, context) {
    super(globalConfig, context);
    this.#mutated = globalConfig.nonFlagArgs.map((file) => path.basename(file, '.ts'));
  }

  async runTests(tests, watcher, options) {
    let failed = false;
    this.on('test-file-success', ([, { numFailingTests }]) => (failed ||= numFailingTests > 0));
    this.on('test-file-failure', () => (failed = true));
    const isOwn = (test) => this.#mutated.includes(path.basename(test.path, '.test.ts'));
    for (const test of [...tests].sort((one, other) => isOwn(other) - isOwn(one))) {
      if (!failed) await super.runTests([test], watcher, options);
    }
  }
}
