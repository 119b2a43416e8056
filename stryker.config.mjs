// Mutation testing of the pure core: `npm run mutate`, see "Mutants" in docs/testing.md.
import { createRequire } from 'node:module';

// A mutant that lives does so in every run: properties are tried on the same examples.
process.env.TEST_SEED ||= '1';
const [unit] = createRequire(import.meta.url)('./jest.config.js').projects;

export default {
  mutate: ['src/domain/**/*.ts'],
  testRunner: 'jest',
  jest: {
    // Only tests of the domain: others would kill by chance what these are there to kill. Without `projects`, because Stryker
    // hands its environment to the top of the configuration alone.
    config: {
      ...unit,
      testMatch: ['<rootDir>/test/domain/*.test.ts'],
      runner: '<rootDir>/test/support/first-failure-runner.mjs',
      projects: [],
    },
  },
  coverageAnalysis: 'perTest',
  timeoutMS: 60_000, // ends a mutant that loops without end, and no test on a busy machine
  ignorePatterns: [
    '.data',
    'bench/results',
    'clients',
    'coverage',
    'deploy',
    'docs',
    'fuzz-report',
    'mutants',
  ],
  reporters: ['clear-text', 'progress', 'html', 'json'],
  htmlReporter: { fileName: 'mutants/report.html' },
  jsonReporter: { fileName: 'mutants/report.json' },
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: '.mutants',
  disableTypeChecks: false, // nothing checks types in the copy
};
