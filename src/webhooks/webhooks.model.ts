import { Schema, type Connection, type Model } from 'mongoose';
import type { DisabledReason } from '../domain/webhook';
import { modelOf } from '../mongodb/model';

/** A secret that signs, as it is stored. */
export interface StoredSecret {
  /** Encrypted. */
  sealed: string;
  createdAt: Date;
  /** Until when it signs beside the newer one; null for the newest. */
  expiresAt: Date | null;
}

/** Of what period the events are delivered again. */
export interface ReplayDocument {
  /** Names the round of attempts that it begins. */
  round: string;
  from: Date;
  /** Without that time. */
  to: Date;
  startedAt: Date;
  /** When all of them had become deliveries; null before. */
  completedAt: Date | null;
}

/** Where events are delivered to. */
export interface EndpointDocument {
  _id: string;
  url: string;
  description: string | null;
  /** The types of the events that it gets, which may have wildcards. */
  types: string[];
  /** Newest first. */
  secrets: StoredSecret[];
  disabledReason: DisabledReason | null;
  disabledAt: Date | null;
  /** When the first attempt since the last success has failed; null if none has. */
  failingSince: Date | null;
  /** What of the past was sent last, or is being sent; null if nothing ever was. */
  replay: ReplayDocument | null;
  /** The position in the feed after which it gets events: those before were there when it was made or enabled. */
  after: number;
  version: number;
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
}

export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';

/** An event that an endpoint is to get. */
export interface DeliveryDocument {
  _id: string;
  endpointId: string;
  eventId: string;
  /** The most telling type of the event. */
  type: string;
  /** When what it is about happened, if that is nothing in the feed. */
  ping?: Date;
  /** Names the round of attempts: another one is begun when it is to be delivered again. */
  round: string;
  status: DeliveryStatus;
  /** How many there were in this round. */
  attempts: number;
  lastAttemptAt: Date | null;
  /** The HTTP status of the last response; null if there was none. */
  lastStatus: number | null;
  /** Why the last attempt has failed; null if it has not. */
  lastError: string | null;
  nextAttemptAt: Date | null;
  createdAt: Date;
  /** When it has succeeded or failed for good. */
  completedAt: Date | null;
  expiresAt: Date;
}

/** How far the events have become deliveries. */
export interface DispatchDocument {
  _id: string;
  /** The position of the last event that has. */
  position: number;
}

/** How many endpoints were ever made, beside how far the events have come. */
export interface EndpointCounterDocument {
  _id: string;
  made: number;
}

const SETTINGS = { versionKey: false, autoIndex: false, autoCreate: false } as const;
const text = { type: String, required: true };
const count = { type: Number, required: true };
const time = { type: Date, required: true };

const endpointSchema = new Schema<EndpointDocument>(
  {
    _id: text,
    url: text,
    description: String,
    types: [String],
    secrets: [Object],
    disabledReason: String,
    disabledAt: Date,
    failingSince: Date,
    replay: Object,
    after: count,
    version: count,
    createdBy: text,
    createdAt: time,
    updatedAt: time,
  },
  { collection: 'webhook_endpoints', ...SETTINGS },
);

const deliverySchema = new Schema<DeliveryDocument>(
  {
    _id: text,
    endpointId: text,
    eventId: text,
    type: text,
    ping: Date,
    round: text,
    status: text,
    attempts: count,
    lastAttemptAt: Date,
    lastStatus: Number,
    lastError: String,
    nextAttemptAt: Date,
    createdAt: time,
    completedAt: Date,
    expiresAt: time,
  },
  { collection: 'webhook_deliveries', ...SETTINGS },
);

// Those of an endpoint, newest first, also by their status.
deliverySchema.index({ endpointId: 1, _id: -1 });
deliverySchema.index({ endpointId: 1, status: 1, _id: -1 });
// Those that wait for an attempt.
deliverySchema.index({ nextAttemptAt: 1 }, { partialFilterExpression: { status: 'pending' } });
deliverySchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

const dispatchSchema = new Schema<DispatchDocument>(
  { _id: text, position: count },
  { collection: 'webhook_dispatch', ...SETTINGS },
);

export function createEndpointModel(connection: Connection): Model<EndpointDocument> {
  return modelOf(connection, 'WebhookEndpoint', endpointSchema);
}

export function createDeliveryModel(connection: Connection): Model<DeliveryDocument> {
  return modelOf(connection, 'WebhookDelivery', deliverySchema);
}

export function createDispatchModel(connection: Connection): Model<DispatchDocument> {
  return modelOf(connection, 'WebhookDispatch', dispatchSchema);
}
