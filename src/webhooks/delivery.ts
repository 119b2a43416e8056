import { createHash } from 'node:crypto';
import { encodeTime, ulid } from 'ulid';
import type { BriefEvent } from '../events/events.repository';
import type { Delivery } from './deliveries.repository';

/** The round of attempts that begins when the event comes. */
export const FIRST_ROUND = 'first';

/** The type of what is sent to try an endpoint; it is no event of the feed. */
export const PING_TYPE = 'webhook.ping';

/** Names another round. */
export function newRound(): string {
  return ulid();
}

const TIME_CHARACTERS = 10;
const ULID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_CHARACTERS = 16;

/** Deliveries to an endpoint sort by when the events came, and the same event never has two. */
function deliveryIdOf(endpointId: string, eventId: string, at: Date): string {
  const hash = createHash('sha256').update(`${endpointId} ${eventId}`).digest();
  const characters = [...hash.subarray(0, RANDOM_CHARACTERS)].map((byte) => ULID_ALPHABET[byte % 32]);
  return `whd_${encodeTime(at.getTime(), TIME_CHARACTERS)}${characters.join('')}`;
}

/** Returns the delivery of an event, to be begun. */
export function newDelivery(
  endpointId: string,
  { _id, types, recordedAt }: BriefEvent,
  round: string,
): Delivery {
  const id = deliveryIdOf(endpointId, _id, recordedAt);
  return begun({ id, endpointId, eventId: _id, type: types[0]! }, round);
}

/** Returns the delivery of what tries an endpoint, to be begun. */
export function newPing(endpointId: string, now: Date): Delivery {
  const eventId = `evt_${endpointId}_${newRound()}`;
  const id = deliveryIdOf(endpointId, eventId, now);
  return { ...begun({ id, endpointId, eventId, type: PING_TYPE }, FIRST_ROUND), ping: now };
}

/** Returns a delivery as it is when a round begins. */
export function begun(
  delivery: Pick<Delivery, 'id' | 'endpointId' | 'eventId' | 'type' | 'ping'>,
  round: string,
): Delivery {
  const { id, endpointId, eventId, type, ping } = delivery;
  const now = new Date();
  return {
    id,
    endpointId,
    eventId,
    type,
    ...(ping && { ping }),
    round,
    status: 'pending',
    attempts: 0,
    lastAttemptAt: null,
    lastStatus: null,
    lastError: null,
    nextAttemptAt: now,
    createdAt: now,
    completedAt: null,
  };
}
