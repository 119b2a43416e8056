import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { startTracing } from './tracing/start';

/** A primary only supervises. */
const count = Number(process.env.WEB_CONCURRENCY || availableParallelism());
const isSupervisor = cluster.isPrimary && count > 1;

/** The first import of the API's entry: what is loaded after it is traced. */
export const tracing = startTracing('orders-api', isSupervisor ? {} : process.env);
