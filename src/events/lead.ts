import type { RelayDocument } from './events.model';

/** Another process has taken over. */
export class Superseded extends Error {
  override name = 'Superseded';

  constructor() {
    super('Another process relays the events now.');
  }
}

/** What a process that relays knows of how far it has come. */
export type Lead = Omit<RelayDocument, '_id'>;

/** How far a transaction takes the relay. */
export type Progress = Pick<RelayDocument, 'token' | 'followedAt'>;
