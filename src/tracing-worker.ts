import { startTracing } from './tracing/start';

/** The first import of the worker's entry: what is loaded after it is traced. */
export const tracing = startTracing('orders-worker', process.env);
