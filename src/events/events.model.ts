import { Schema, type Connection, type Model, type mongo } from 'mongoose';
import type { EventType } from '../domain/events';
import { modelOf } from '../mongodb/model';
import type { OrderDocument } from '../orders/orders.model';

/** An order at one of its versions, without what only its workflow needs. */
export type OrderAtVersion = Omit<OrderDocument, 'commands' | 'intention'>;

/** Something that has happened. Nothing changes it, but that the data of a customer are erased. */
export interface EventDocument {
  /** Follows from what it is about, so that no event is there twice: `evt_<object>_<version>`. */
  _id: string;
  /** Its place in the feed: one more than that of the event before it. */
  position: number;
  /** The most telling one of its types. */
  type: EventType;
  types: EventType[];
  /** When it happened. */
  at: Date;
  /** When it came into the feed. */
  recordedAt: Date;
  /** When it may be removed. */
  expiresAt: Date;
  /** The id of what it is about. */
  object: string;
  version: number;
  /** The version of which the event before it is; null if it is the first one. */
  follows: number | null;
  /** Of an order, at that version. */
  order?: OrderAtVersion;
  /** Of anything else, as the API shows it to ADMINs. */
  data?: object;
}

/** The id of the one that there is. */
export const RELAY = 'events';

/** How far the relay has come. */
export interface RelayDocument {
  _id: string;
  /** Raised by each process that takes over: those before it can write nothing any more. */
  term: number;
  /** That of the last event. */
  position: number;
  /** Where the change stream continues; null before it was ever followed. */
  token: mongo.ResumeToken;
  /** Up to when all changes are in the feed; null before it was ever followed. */
  followedAt: Date | null;
  /** When the last event came into the feed. */
  recordedAt: Date | null;
}

/** What the feed has said last of the availability of a product; there is none of one that was always available. */
export interface AvailabilityDocument {
  _id: string;
  isOut: boolean;
  /** The `stockRevision` of the product then. */
  revision: number;
}

const SETTINGS = { versionKey: false, autoIndex: false, autoCreate: false } as const;
const text = { type: String, required: true };
const count = { type: Number, required: true };
const time = { type: Date, required: true };

// Events are written and read as they are, so the schemas only say what there is, and which indexes.
const eventSchema = new Schema<EventDocument>(
  {
    _id: text,
    position: count,
    type: text,
    types: [String],
    at: time,
    recordedAt: time,
    expiresAt: time,
    object: text,
    version: count,
    follows: Number,
    order: Schema.Types.Mixed,
    data: Schema.Types.Mixed,
  },
  { collection: 'events', ...SETTINGS },
);

// Two events at one place would be two feeds.
eventSchema.index({ position: 1 }, { unique: true });
// The feed of some types.
eventSchema.index({ types: 1, position: 1 });
// What happened to one order, and which of its versions the feed has.
eventSchema.index({ object: 1, version: 1 });
eventSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

const relaySchema = new Schema<RelayDocument>(
  {
    _id: text,
    term: count,
    position: count,
    token: Schema.Types.Mixed,
    followedAt: Date,
    recordedAt: Date,
  },
  { collection: 'relay', ...SETTINGS },
);

const availabilitySchema = new Schema<AvailabilityDocument>(
  { _id: text, isOut: { type: Boolean, required: true }, revision: count },
  { collection: 'availability', ...SETTINGS },
);

export function createEventModel(connection: Connection): Model<EventDocument> {
  return modelOf(connection, 'Event', eventSchema);
}

export function createRelayModel(connection: Connection): Model<RelayDocument> {
  return modelOf(connection, 'Relay', relaySchema);
}

export function createAvailabilityModel(connection: Connection): Model<AvailabilityDocument> {
  return modelOf(connection, 'Availability', availabilitySchema);
}
