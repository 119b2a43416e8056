import { relative } from 'node:path';

const INTERVAL_MS = 20_000;
const SLOWEST = 10;

/**
 * Prints the seed of the run, says how far the tests are where Jest's own reporter does not, which is everywhere but on a
 * terminal, and lists the slowest files at the end. See https://jestjs.io/docs/configuration#custom-reporters.
 */
export default class ProgressReporter {
  #rootDir;
  #timer;
  #finished = 0;
  #results;

  constructor({ rootDir }) {
    this.#rootDir = rootDir;
  }

  onRunStart(results) {
    print([`random: TEST_SEED=${process.env.TEST_SEED} draws the same samples and sequences again`]);
    this.#results = results;
    if (!showsStatus()) this.#timer = setInterval(() => this.#printProgress(), INTERVAL_MS);
  }

  onTestResult(_test, _result, results) {
    this.#results = results;
    this.#finished++;
  }

  onRunComplete(_contexts, { testResults }) {
    clearInterval(this.#timer);
    if (testResults.length <= SLOWEST) return;
    const files = testResults.map(({ testFilePath, perfStats }) => ({
      path: relative(this.#rootDir, testFilePath),
      seconds: perfStats.runtime / 1_000,
    }));
    const slowest = files.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
    print([
      'The slowest files:',
      ...slowest.map(({ path, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${path}`),
    ]);
  }

  #printProgress() {
    const { startTime, numTotalTestSuites, numPassedTests, numFailedTests } = this.#results;
    const seconds = Math.floor((Date.now() - startTime) / 1_000);
    const elapsed = `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    const failed = numFailedTests > 0 ? `, ${numFailedTests} failed` : '';
    print([
      `… ${elapsed}: ${this.#finished} of ${numTotalTestSuites} files, ${numPassedTests} tests passed${failed}`,
    ]);
  }
}

/** Whether Jest's own reporter shows the status of the run, as in `isInteractive` of jest-util. */
function showsStatus() {
  return process.stdout.isTTY && process.env.TERM !== 'dumb' && !process.env.CI;
}

function print(lines) {
  process.stderr.write(`${lines.join('\n')}\n`);
}
