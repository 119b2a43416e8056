import { EventEmitter } from 'node:events';
import pino from 'pino';
import type { CountRequest } from '../../src/cluster/messages';
import { createPrimaryWindows, type Channel } from '../../src/cluster/primary-windows';

const warnings: string[] = [];
const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
beforeEach(() => void (warnings.length = 0));

/** An end of a channel whose other end does as told with each message. */
function channelTo(receive: (message: CountRequest, emitter: EventEmitter) => Error | undefined): Channel {
  const emitter = new EventEmitter();
  return Object.assign(emitter, {
    send(message: CountRequest, _handle: undefined, _options: object, sent: (error: Error | null) => void) {
      sent(receive(message, emitter) ?? null);
      return true;
    },
  });
}

const ask = (windows: ReturnType<typeof createPrimaryWindows>, key = 'k') =>
  windows.ratelimiter(key, 0, 1000, 5);

test('give each request the answer to its own question, in whatever order they come', async () => {
  const questions: CountRequest[] = [];
  const channel = channelTo((message, emitter) => {
    questions.push(message);
    if (questions.length < 3) return undefined;
    for (const { id, key } of [...questions].reverse()) {
      emitter.emit('message', { type: 'counted', id, used: Number(key), msLeft: 1000 });
    }
    emitter.emit('message', { type: 'counted', id: 99, used: 1, msLeft: 1 }); // for nobody here
    emitter.emit('message', 'noise');
    return undefined;
  });
  const windows = createPrimaryWindows(channel, logger);
  const answers = await Promise.all(['1', '3', '6'].map((key) => ask(windows, key)));
  expect(answers.map(([left]) => left)).toEqual([5, 3, 0]);
  expect(questions[0]).toMatchObject({ key: '1', windowMs: 1000 });
  expect(warnings).toEqual([]);
});

test.each<[string, Channel]>([
  ['does not answer', channelTo(() => undefined)],
  ['cannot be told', channelTo(() => new Error('channel closed'))],
  ['is not there', new EventEmitter()],
])('let requests through when the primary %s, and say so once', async (_what, channel) => {
  const windows = createPrimaryWindows(channel, logger, 20);
  for (let call = 0; call < 2; call++) expect(await ask(windows)).toEqual([5, expect.any(Number), 5]);
  expect(warnings).toEqual([expect.stringContaining('The primary process does not answer')]);
});
