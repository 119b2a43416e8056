import type { Worker } from 'node:cluster';
import { isMessage, type Collect, type Collected } from './messages';

let lastId = 0;

/** Returns the metrics of an API process; undefined if it does not answer in time. */
export function collectFrom(worker: Worker, timeoutMs: number): Promise<string | undefined> {
  const id = ++lastId;
  return new Promise((resolve) => {
    const finish = (text?: string) => {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('exit', onExit);
      resolve(text);
    };
    const onMessage = (message: unknown) => {
      if (isMessage<Collected>(message, 'collected') && message.id === id) finish(message.text);
    };
    const onExit = () => finish();
    const timer = setTimeout(finish, timeoutMs);
    worker.on('message', onMessage);
    worker.once('exit', onExit);
    const ask: Collect = { type: 'collect', id };
    worker.send(ask, (error) => {
      if (error) finish();
    });
  });
}

/** Has an API process answer its primary, which asks for its metrics. */
export function answerCollector(process: NodeJS.Process, text: () => Promise<string>): void {
  process.on('message', (message) => {
    if (!isMessage<Collect>(message, 'collect')) return;
    const send = (collected: string) => {
      const answer: Collected = { type: 'collected', id: message.id, text: collected };
      process.send?.(answer, undefined, {}, () => undefined);
    };
    text().then(send, () => undefined);
  });
}
