import { once } from 'node:events';
import type { mongo } from 'mongoose';
import pino from 'pino';
import { followChanges } from '../../src/mongodb/follow-changes';
import { eventually } from '../support/eventually';

type Change = mongo.ChangeStreamDocument<mongo.Document>;

/** Returns a stream that opens with the first `tryNext`, like those of the driver. */
function streamOf(first: Change | null, onOpen: () => void) {
  const closed = new AbortController();
  return {
    async tryNext() {
      onOpen();
      return first;
    },
    [Symbol.asyncIterator]: () => ({
      async next() {
        await once(closed.signal, 'abort');
        return { done: true };
      },
    }),
    async close() {
      closed.abort();
    },
  } as unknown as mongo.ChangeStream;
}

const change = (id: string) => ({ documentKey: { _id: id } }) as unknown as Change;
const idOf = (one: Change) => (one as unknown as { documentKey: { _id: string } }).documentKey._id;

/** Follows a collection that changes just before the stream is opened. */
function follow(first: Change | null, open?: () => mongo.ChangeStream) {
  const [stored, known] = [new Set(['before']), new Set<string>()];
  const loads: boolean[] = [];
  const follower = followChanges(
    {
      name: 'things',
      connected: Promise.resolve(),
      open: open ?? (() => streamOf(first, () => stored.add('in between'))),
      async load(isFollowed) {
        loads.push(isFollowed);
        for (const id of stored) known.add(id);
      },
      apply: (one) => void known.add(idOf(one)),
    },
    pino({ level: 'silent' }),
  );
  return { follower, known, loads };
}

it('misses no change between the first load and the opening of the stream', async () => {
  const { follower, known } = follow(null);
  await follower.ready;
  await eventually(async () => expect(known).toEqual(new Set(['before', 'in between'])));
  await follower.close();
});

it('applies a change that arrives with the opening of the stream', async () => {
  const { follower, known } = follow(change('with the opening'));
  await eventually(async () => expect(known).toContain('with the opening'));
  await follower.close();
});

it('retries a stream that cannot be opened, and does not report it as followed', async () => {
  const { follower, loads } = follow(null, () => {
    throw new Error('no server');
  });
  await eventually(async () => expect(loads.length).toBeGreaterThan(2));
  expect(loads).not.toContain(true);
  await follower.close();
});
