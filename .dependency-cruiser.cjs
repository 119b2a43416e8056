/** The direction of imports. Every rule says in its comment what to do instead. */

const PRODUCTION = '^(src|workflows|activities)/';
/** The processes. */
const ENTRIES =
  '^src/(server|worker|setup|seed|create-admin|reconcile|audit-log|audit-orders|deploy-versions|migrate|healthcheck)\\.ts$';
/** What the processes are put together from; with the entries, they alone build what the rest is handed. */
const COMPOSITION = [
  '^src/api-(server|routes|identity|privacy|shopping|events|telemetry)\\.ts$',
  '^src/worker/',
  '^src/process/(entry|logger)\\.ts$',
];
const CONTRACT = '^workflows/contract\\.ts$';

const packages = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
/** Types are gone when the code runs; an `import type` couples nothing at run time. */
const VALUES = { dependencyTypesNot: ['type-only'] };

/**
 * The folders of src, floor by floor. A folder imports only from floors below its own, so that no two import
 * each other.
 */
const FLOORS = [
  ['audit-orders', 'create-admin', 'deploy-versions', 'reconcile', 'seed', 'setup', 'worker'],
  ['telemetry'],
  ['orders-audit', 'webhooks'],
  ['events', 'personal-data'],
  ['carts'],
  ['orders'],
  ['authentication', 'board', 'cluster', 'health', 'openapi', 'payments', 'product-service', 'versions'],
  ['api-keys', 'auth', 'temporal'],
  ['jwt', 'users'],
  ['security'],
  ['audit', 'mail', 'rate-limit', 'upkeep'],
  ['http'],
  ['process'],
  ['common', 'logger'],
  ['tracing'],
  ['config', 'domain', 'errors', 'migrations', 'mongodb', 'role'],
];
const inSrc = (folders) => `^src/(${folders.join('|')})/`;

const floorRules = FLOORS.map((folders, floor) => ({
  name: `6-floor-${FLOORS.length - floor}-imports-downwards`,
  comment:
    'Move what both need to a lower floor, or pass it in; types count as well. FLOORS lists the folders.',
  severity: 'error',
  from: { path: inSrc(folders) },
  to: { path: inSrc(FLOORS.slice(0, floor + 1).flat()), pathNot: '^src/$1/' },
}));

const rootRule = {
  name: '6-roofs-are-imported-by-entries',
  comment:
    'What stands at the top of src puts the rooms together: take what you need from it as an argument.',
  severity: 'error',
  from: { path: '^src/[^/]+/' },
  to: { path: '^src/[^/]+\\.ts$' },
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: '1-domain-imports-only-itself',
      comment: 'src/domain is the pure core: pass values in instead.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: '2-workflows-stay-deterministic',
      comment: 'A workflow imports the workflow SDK and src/domain; all else is the work of an activity.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: ['^workflows/', '^src/domain/', '^activities/', packages('@temporalio/(workflow|common)')],
      },
    },
    {
      name: '2-workflows-know-activities-as-types',
      comment: 'Use `import type` and a proxy: an activity must not end up in the workflow bundle.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^activities/', ...VALUES },
    },
    {
      name: '3-activities-are-handed-what-they-use',
      comment: 'Take repositories and clients as arguments of createXActivities, with `import type`.',
      severity: 'error',
      from: { path: '^activities/' },
      to: {
        pathNot: ['^activities/', '^src/domain/', CONTRACT, packages('@temporalio/(activity|common)')],
        ...VALUES,
      },
    },
    {
      name: '3-activities-know-neither-koa-nor-workflows',
      comment: 'Not even as types: what both sides need is in workflows/contract.ts or src/domain.',
      severity: 'error',
      from: { path: '^activities/' },
      to: {
        path: ['^workflows/', packages('koa', '@koa/[^/]+', 'koa-[^/]+', '@types/koa[^/]*')],
        pathNot: CONTRACT,
      },
    },
    {
      name: '4-routes-know-neither-models-nor-activities',
      comment: 'A route calls its service and presents what that returns.',
      severity: 'error',
      from: { path: ['\\.routes\\.ts$', '^src/orders/routes/'] },
      to: { path: ['(^|[./])model\\.ts$', '^activities/', packages('mongoose')] },
    },
    {
      name: '4-src-knows-workflows-by-their-contract',
      comment: 'Import workflows/contract.ts, or use `import type`; the worker alone runs activities.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/worker/' },
      to: { path: '^(workflows|activities)/', pathNot: CONTRACT, ...VALUES },
    },
    {
      name: '5-only-entries-construct',
      comment: 'Take it as an argument, with `import type`; entries, src/api-*.ts and src/worker build it.',
      severity: 'error',
      from: { path: PRODUCTION, pathNot: [ENTRIES, ...COMPOSITION] },
      to: {
        path: [
          '^src/cluster/primary(-store)?\\.ts$',
          '^src/rate-limit/redis-store\\.ts$',
          '^src/config/index\\.ts$',
          '^src/logger/logger\\.ts$',
          '^src/mongodb/mongodb\\.ts$',
          '^src/temporal/client\\.ts$',
          '(^|[./])(repository|service|provider|client)\\.ts$',
          '^src/payments/stripe/webhook\\.ts$',
          '^src/orders/temporal/order-workflows\\.ts$',
          ...COMPOSITION,
          packages('@temporalio/worker'),
        ],
        ...VALUES,
      },
    },
    {
      name: '7-opentelemetry-by-its-api',
      comment:
        'The API costs nothing while nothing is traced or measured; src/tracing and src/telemetry load the rest.',
      severity: 'error',
      from: { path: PRODUCTION, pathNot: '^src/(tracing|telemetry)/' },
      to: { path: packages('@opentelemetry/[^/]+'), pathNot: packages('@opentelemetry/api') },
    },
    {
      name: '7-no-opentelemetry-in-workflows',
      comment: 'It would change histories: workflows/trace-context.ts copies the header, and nothing more.',
      severity: 'error',
      from: { path: '^(workflows|src/domain)/' },
      to: { path: packages('@opentelemetry/[^/]+') },
    },
    rootRule,
    ...floorRules,
    {
      name: '6-every-folder-has-a-floor',
      comment: 'Add the folder to FLOORS above.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: inSrc(FLOORS.flat()) },
    },
    {
      name: '5-entries-are-not-imported',
      comment:
        'An entry runs when it is loaded: import what it is put together from, or start it as a process.',
      severity: 'error',
      from: {},
      to: { path: ENTRIES },
    },
    {
      name: 'production-has-no-seed',
      comment: 'The production image is built without src/seed.',
      severity: 'error',
      from: { path: PRODUCTION, pathNot: '^src/seed(/|\\.ts$)' },
      to: { path: '^src/seed/', ...VALUES },
    },
    {
      name: 'clients-stand-alone',
      comment: 'A client runs in browsers, and knows of the server what the OpenAPI document says.',
      severity: 'error',
      from: { path: '^clients/' },
      to: { pathNot: '^clients/' },
    },
    {
      name: 'judges-share-nothing-with-the-accused',
      comment:
        'The audit of a chaos run must not believe what the application believes: write down again what it needs.',
      severity: 'error',
      from: { path: '^tools/chaos/(audit|history)/' },
      to: {
        pathNot: ['^tools/chaos/(audit|history)/', '^tools/chaos/log\\.ts$', packages('.+'), '^[a-z:_/]+$'],
      },
    },
    {
      name: 'no-cycles',
      comment: 'Move what both need into a third file.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'production-stands-alone',
      comment: 'The image has neither scripts, tools, tests nor development dependencies.',
      severity: 'error',
      from: { path: PRODUCTION },
      to: { path: '^(scripts|tools|test|bench|clients)/' },
    },
    {
      name: 'production-needs-no-dev-dependency',
      comment: 'Move the package to "dependencies" in package.json.',
      severity: 'error',
      from: { path: PRODUCTION },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], ...VALUES },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'require', 'import'] },
  },
};
