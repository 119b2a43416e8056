import { preconditionFailed } from '../common/etag';
import type { ProductService } from './product-service.model';

type Tagged = Pick<ProductService, 'version' | 'stockRevision'>;

/** What a change requires of the entry: throws 412 if it is not as the caller has read it. */
export type Condition = (entry: Tagged) => void;

const STRONG_TAG = /(W\/)?"(\d{1,15})(?:-(\d{1,15}))?"/g;

/** Returns the entity tag: the version of the entry and the revision of its stock, for example `"3-17"`. */
export function entryTag({ version, stockRevision }: Tagged): string {
  return `"${version}-${stockRevision}"`;
}

/**
 * Returns the condition of a change that leaves the stock as it is: a valid If-Match header has to name the version, and
 * whatever orders do to the stock meanwhile does not matter. An empty header stands for none, with which any entry will do.
 */
export function sameVersion(ifMatch: string): Condition {
  return conditionOf(ifMatch, (entry, version) => version === entry.version);
}

/** Returns the condition of a change of stock: a valid If-Match header has to name version and stock. */
export function sameStock(ifMatch: string): Condition {
  return conditionOf(
    ifMatch,
    (entry, version, revision) => version === entry.version && revision === entry.stockRevision,
  );
}

function conditionOf(
  ifMatch: string,
  isSame: (entry: Tagged, version: number, stockRevision: number) => boolean,
): Condition {
  if (ifMatch === '' || ifMatch === '*') return () => undefined;
  const tags = [...ifMatch.matchAll(STRONG_TAG)].filter(([, weak]) => !weak);
  return (entry) => {
    if (tags.some(([, , version, revision]) => isSame(entry, Number(version), Number(revision)))) return;
    const etag = entryTag(entry);
    throw preconditionFailed(
      `This was changed meanwhile, and its ETag is now ${etag}: read it again, then repeat the change.`,
      etag,
    );
  };
}
