import type { ClientSession, mongo } from 'mongoose';
import type { Order } from '../domain/order';
import type { AvailabilityDocument, EventDocument } from './events.model';

/** The collections that a transaction may write beside the feed. */
export interface Alongside {
  events: mongo.Collection<EventDocument>;
  availability: mongo.Collection<AvailabilityDocument>;
}

/** An event that has no place in the feed yet. */
export interface Draft {
  event: Omit<EventDocument, 'position' | 'recordedAt' | 'expiresAt'>;
  /** Which order it is about, as it was before and is now; before is null if there was none. */
  order?: { before: Order | null; after: Order };
  /** What the transaction that adds it does as well. */
  alongside?(collections: Alongside, session: ClientSession): Promise<unknown>;
}

/** A write, as the change stream tells of it. */
export type Write =
  mongo.ChangeStreamInsertDocument | mongo.ChangeStreamReplaceDocument | mongo.ChangeStreamUpdateDocument;

/** A collection whose writes become events. */
export interface EventSource {
  collection: string;
  /** Which of its writes the change stream has to tell of, as conditions on them. */
  writes: mongo.Document;
  /** Prepares for writes together, which spares reads. */
  prepare?(writes: readonly Write[]): Promise<void>;
  /** Returns the events that a write is, if any. It is called once for each write, in their order. */
  eventsOf(write: Write): Promise<Draft[]>;
  /** Yields the events that the feed lacks of what was written since a time, since the change stream cannot tell any more. */
  missedSince(since: Date): AsyncGenerator<Draft[]>;
}
