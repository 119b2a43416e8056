/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.[tj]s$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, sourceMaps: 'inline' },
    ],
  },
  // The driver loads `os` by a dynamic import, which Jest's sandbox refuses: compile that one file to a require.
  transformIgnorePatterns: ['/node_modules/(?!mongodb/lib/runtime_adapters\\.js$)'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 180_000,
  maxWorkers: 2,
  coverageProvider: 'babel', // the one that can be merged with the coverage of workflows, which run in a sandbox
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/{server,worker,setup,seed,create-admin,healthcheck}.ts', // entries are tested as processes of their own
    'workflows/**/*.ts',
    'activities/**/*.ts',
  ],
  coverageReporters: ['text-summary', 'lcov', ['text', { skipFull: true }]],
  coverageThreshold: { global: { statements: 95, branches: 95 } },
};
