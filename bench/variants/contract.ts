/** The task queue of the variants that are compared with ours. */
export const BENCH_TASK_QUEUE = 'bench';
export const BENCH_PAYMENTS_TASK_QUEUE = 'bench-payments';

/** Each of them takes one request. */
export const VARIANTS = ['empty-route', 'no-durability', 'empty-workflow', 'empty-update', 'usual'] as const;
export type Variant = (typeof VARIANTS)[number];
