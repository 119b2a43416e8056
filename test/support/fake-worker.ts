import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { answerCollector } from '../../src/cluster/collect';

/**
 * An API process of a cluster as its primary sees it, without a process: it answers as API processes do.
 * @param failure why nothing can be sent to it
 */
export function fakeWorker(text: () => Promise<string>, failure: Error | null = null): Worker {
  const worker = new EventEmitter();
  const process = Object.assign(new EventEmitter(), {
    send: (answer: unknown) => worker.emit('message', answer),
  });
  answerCollector(process as object as NodeJS.Process, text);
  const send = (message: unknown, sent: (error: Error | null) => void) => {
    if (!failure) process.emit('message', message);
    sent(failure);
  };
  return Object.assign(worker, { send }) as object as Worker;
}
