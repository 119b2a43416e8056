const { randomInt } = require('node:crypto');
const { availableParallelism } = require('node:os');

// For the processes of this run, which inherit it.
const SEEDS = 2 ** 31;
process.env.TEST_SEED ||= String(randomInt(SEEDS));
if (!/^\d+$/.test(process.env.TEST_SEED) || Number(process.env.TEST_SEED) >= SEEDS)
  throw new Error(`TEST_SEED must be an integer from 0 to ${SEEDS - 1}.`);

/** Tests that need no server: `npm run test:unit`. All others are given Temporal and MongoDB. */
const UNIT = [
  'activities/payment-calls',
  'api-keys/api-key-cache',
  'audit-orders/*',
  'bench/*',
  'board/page',
  'board/session',
  'clients/*',
  'cluster/{collect,primary-store}',
  'common/{adaptive-limit,dates,etag,pagination,text}',
  'config/*',
  'create-admin/*',
  'deploy-versions/*',
  'dockerfile',
  'docs/{guarantees,logging,output,runbook}',
  'domain/*',
  'events/pages',
  'http/{error-middleware,server}',
  'logger/*',
  'mongodb/follow-changes',
  'process/*',
  'product-service/search-terms',
  'observability/rules',
  'openapi/{committed,example,joi-rules}',
  'orders/{admission,order-request,orders.presenter,orders.service}',
  'orders/commands/commands',
  'orders/routes/payer',
  'orders/temporal/{failures,order-description}',
  'payments/declines/{follow,recent}-declines',
  'payments/stripe/{amounts,list,request-spans}',
  'rate-limit/{client-address,store,window-counter}',
  'reconcile/*',
  'telemetry/{cluster-metrics,merge,metrics,process-metrics,sampled,server,worker-metrics}',
  'temporal/{errors,keyed-limit,liveness,payload-codec,search-attributes,updates}',
  'tools/capacity/*',
  'tools/chaos/{answers,clients,deaths,drill,evidence,history,inject,log,memory,network,operator,proof,replica-set,report,schedule,time-outs,unit}',
  'tools/devstack/{demo-output,ports,start-options}',
  'tracing/{exporter,sampler,start,switch,traceparent}',
  'users/passwords/password',
  'versions/*',
  'webhooks/{addresses,dispatch,example-receiver,fair-share,post,signing}',
  'worker/{logger,options}',
  'workflows/{order-report,versioning}',
].map((name) => `<rootDir>/test/${name}.test.ts`);

/** Modules of the MongoDB driver and of the exporter for traces. */
const IMPORTING = [
  'mongodb/lib/runtime_adapters',
  '@opentelemetry/otlp-exporter-base/build/src/(?:configuration|transport)/[\\w-]+',
];

const project = {
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/.mutants/'], // the copies of a run of Stryker
  setupFiles: ['<rootDir>/test/support/random.ts'],
  transform: {
    '^.+\\.[tj]s$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, sourceMaps: 'inline' },
    ],
  },
  // The client names the files that it imports as its build does.
  moduleNameMapper: { '^(\\./[\\w.-]+)\\.js$': '$1' },
  // They load `os` and `http` by dynamic imports, which Jest's sandbox refuses: compile those files to requires.
  transformIgnorePatterns: [`/node_modules/(?!(?:${IMPORTING.join('|')})\\.js$)`],
};

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    { ...project, displayName: 'unit', testMatch: UNIT },
    {
      ...project,
      displayName: 'servers',
      testMatch: ['<rootDir>/test/**/*.test.ts', ...UNIT.map((path) => path.replace('<rootDir>', '!**'))],
      setupFilesAfterEnv: ['collect-garbage', 'watch-commands'].map(
        (name) => `<rootDir>/test/support/${name}.ts`,
      ),
      globalSetup: '<rootDir>/test/support/global-setup.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    },
  ],
  testTimeout: 30 * 60_000, // ends a hang, and never judges how fast a machine is
  maxWorkers: Math.min(4, availableParallelism() + 2), // more than cores, because tests wait a lot; all share two servers
  maxConcurrency: 8, // of `it.concurrent`: orders that mostly wait
  workerIdleMemoryLimit: '500MB', // of heap; below that, replacing processes costs more time than the tests
  reporters: ['default', '<rootDir>/test/support/progress-reporter.mjs'],
  coverageProvider: 'babel', // the one that can be merged with the coverage of workflows, which run in a sandbox
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/{server,worker,setup,seed,create-admin,reconcile,audit-orders,audit-log,healthcheck}.ts', // entries are tested as processes of their own
    'workflows/**/*.ts',
    'activities/**/*.ts',
  ],
  coverageReporters: ['text-summary', 'lcov', ['text', { skipFull: true }]],
  coverageThreshold: { global: { statements: 95, branches: 95 } },
};
