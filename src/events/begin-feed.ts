import type { Connection } from 'mongoose';
import { createRelayModel, RELAY, type RelayDocument } from './events.model';

/** How long the server is waited for, in milliseconds: what it says is only where the change stream is. */
const AWAIT_MS = 100;

/**
 * Has the feed begin now, unless it has begun: before anything is written that would be told together, since the change
 * stream cannot tell what was before its first token.
 */
export async function beginFeed(connection: Connection): Promise<void> {
  const relay = connection.collection<RelayDocument>(createRelayModel(connection).collection.name);
  if (await relay.findOne({ _id: RELAY })) return;
  const stream = connection.db!.watch([{ $match: { operationType: 'none' } }], { maxAwaitTimeMS: AWAIT_MS });
  try {
    do await stream.tryNext();
    while (!stream.resumeToken);
    const begun = {
      term: 0,
      position: 0,
      token: stream.resumeToken,
      followedAt: new Date(),
      recordedAt: null,
    };
    await relay.updateOne({ _id: RELAY }, { $setOnInsert: begun }, { upsert: true });
  } finally {
    await stream.close();
  }
}
