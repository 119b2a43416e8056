/** The task queue of the variants that are measured beside ours. */
export const BENCH_TASK_QUEUE = 'bench';
export const BENCH_PAYMENTS_TASK_QUEUE = 'bench-payments';

/** What can be measured by one request each. */
export const VARIANTS = ['empty-route', 'no-durability', 'empty-workflow', 'empty-update', 'usual'] as const;
export type Variant = (typeof VARIANTS)[number];
