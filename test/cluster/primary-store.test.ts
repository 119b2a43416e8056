import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pino from 'pino';
import type { CountRequests } from '../../src/cluster/messages';
import { createPrimaryStore, type Channel } from '../../src/cluster/primary-store';
import type { Store } from '../../src/rate-limit/store';
import { HANG_MS } from '../support/eventually';

const warnings: string[] = [];
const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
beforeEach(() => void (warnings.length = 0));

/** Creates the end of a channel whose other end passes each message to `receive`. */
function channelTo(receive: (message: CountRequests, emitter: EventEmitter) => Error | undefined): Channel {
  const emitter = new EventEmitter();
  return Object.assign(emitter, {
    send(message: CountRequests, _handle: undefined, _options: object, sent: (error: Error | null) => void) {
      sent(receive(message, emitter) ?? null);
      return true;
    },
  });
}

const ask = (store: Store, key = 'k') => store.ratelimiter(key, 0, 1_000, 5);

it('asks in one message for all requests of a turn, and returns to each its own count', async () => {
  const questions: CountRequests[] = [];
  const channel = channelTo((message, emitter) => {
    questions.push(message);
    if (questions.length < 2) return undefined;
    for (const { id, requests } of [...questions].reverse()) {
      const counts = requests.map(({ key }) => ({ used: Number(key), msLeft: 1_000 }));
      emitter.emit('message', { type: 'counted', id, counts });
    }
    emitter.emit('message', { type: 'counted', id: 99, counts: [{ used: 1, msLeft: 1 }] }); // a reply that nobody waits for
    emitter.emit('message', 'noise');
    return undefined;
  });
  const store = createPrimaryStore(channel, logger, HANG_MS);
  const first = ['1', '3', '6'].map((key) => ask(store, key));
  await nextTurn();
  const second = ['2', '4'].map((key) => ask(store, key));
  const answers = await Promise.all([...first, ...second]);
  expect(answers.map(([left]) => left)).toEqual([5, 3, 0, 4, 2]);
  expect(questions.map(({ requests }) => requests)).toEqual(
    [
      ['1', '3', '6'],
      ['2', '4'],
    ].map((keys) => keys.map((key) => ({ key, windowMs: 1_000 }))),
  );
  expect(warnings).toEqual([]);
});

it.each<[string, Channel]>([
  ['does not reply', channelTo(() => undefined)],
  ['cannot be reached', channelTo(() => new Error('channel closed'))],
  ['does not exist', new EventEmitter()],
])('lets requests pass if the primary %s, and warns once', async (_what, channel) => {
  const store = createPrimaryStore(channel, logger, 20);
  for (let call = 0; call < 2; call++) expect(await ask(store)).toEqual([5, expect.any(Number), 5]);
  expect(warnings).toEqual([expect.stringContaining('requests are not limited')]);
});
