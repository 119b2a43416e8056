// Mutation testing of the pure core: `npm run mutate`, see "Mutants" in docs/testing.md.
import { readdirSync } from 'node:fs';

// A mutant that lives does so in every run: properties are tried on the same examples.
process.env.TEST_SEED ||= '1';
const DOMAIN = readdirSync(new URL('test/domain', import.meta.url))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/domain/${name}`);

export default {
  mutate: ['src/domain/**/*.ts', 'workflows/order.report.ts'],
  plugins: ['./test/support/mutant-runner.mjs'],
  testRunner: 'in-process',
  // Only tests of these sources: others would kill by chance what these are there to kill.
  testFiles: [...DOMAIN, 'test/workflows/order-report.test.ts'],
  coverageAnalysis: 'perTest',
  timeoutMS: 60_000, // ends a mutant that loops without end, and no test on a busy machine
  ignorePatterns: ['/*', '!src', '!test', '!workflows', '!docs'], // what these tests read,
  reporters: ['clear-text', 'progress', 'html', 'json'],
  htmlReporter: { fileName: 'mutants/report.html' },
  jsonReporter: { fileName: 'mutants/report.json' },
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: '.mutants',
  disableTypeChecks: false, // nothing checks types in the copy
};
