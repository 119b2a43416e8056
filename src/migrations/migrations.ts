import type { mongo } from 'mongoose';

/**
 * The collections whose documents carry the version of their schema, as `schemaVersion`; without it, it is 1. A document that is
 * inserted or replaced gets the version of the release that does so. An update of some fields lowers it to that, since what a
 * migration has computed from them is outdated then; only a migration raises it.
 */
export type Versioned = 'orders' | 'carts' | 'product_services' | 'users';

/**
 * A change of all documents of a collection. While it runs, and until the workers of the release before are drained, both
 * releases read and write: so this one also writes what that one reads, and what that one needs is removed by a later release.
 */
export interface Migration {
  collection: string;
  /** The version that it makes of the one before. */
  to: number;
  /** What it does, for people. */
  summary: string;
  /**
   * Computes the new fields from the document as it is at that moment, so that no change made meanwhile is lost. It is also
   * given documents that have them already, but were changed since by the release before.
   */
  pipeline: mongo.Document[];
}

/** All migrations, those of a collection in the order of their versions. */
export const MIGRATIONS: readonly (Migration & { collection: Versioned })[] = [];
