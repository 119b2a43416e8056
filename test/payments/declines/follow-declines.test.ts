import { once } from 'node:events';
import pino from 'pino';
import type { DeclineDocument } from '../../../src/payments/declines/declines.model';
import type { DeclineRepository } from '../../../src/payments/declines/declines.repository';
import { followDeclines } from '../../../src/payments/declines/follow-declines';
import { eventually } from '../../support/eventually';

const decline = (_id: string): DeclineDocument => ({ _id, by: 'usr_1', at: new Date() });

/** A stream that tells of these changes once it is open. */
function streamOf(changes: object[]): ReturnType<DeclineRepository['watch']> {
  const closed = new AbortController();
  return {
    tryNext: async () => null,
    async *[Symbol.asyncIterator]() {
      yield* changes;
      await once(closed.signal, 'abort');
    },
    close: async () => closed.abort(),
  } as unknown as ReturnType<DeclineRepository['watch']>;
}

it('counts what was declined before and since, and passes over what is removed by the time it is looked up', async () => {
  const changes = [
    { operationType: 'update', fullDocument: null },
    { operationType: 'delete' },
    { operationType: 'insert', fullDocument: decline('ord_2-1') },
  ];
  const repository = { findSince: async () => [decline('ord_1-1')], watch: () => streamOf(changes) };
  const deps = { repository, mongodb: { connected: Promise.resolve() }, logger: pino({ level: 'silent' }) };
  const { msAtLimit, close } = followDeclines(deps);
  await eventually(async () => expect(msAtLimit('by', 'usr_1', 2)).toBeGreaterThan(0));
  expect(msAtLimit('by', 'usr_1', 3)).toBe(0);
  await close();
});
