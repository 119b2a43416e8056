import { trusted, type ClientSession, type Connection, type QueryFilter } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import { changesBetween, type Origin } from '../domain/audit';
import { unlessTaken } from '../mongodb/errors';
import { createTransact } from '../mongodb/transaction';
import {
  createProductServiceModel,
  derivedFrom,
  HIDDEN,
  toProductService,
  type Kind,
  type ProductService,
  type ProductServiceDocument,
} from './product-service.model';

export type ProductServiceRepository = ReturnType<typeof createProductServiceRepository>;
export type NewProductService = Omit<ProductService, 'createdAt' | 'updatedAt' | 'stockRevision'>;
export type ProductServiceChanges = Partial<
  Pick<ProductService, 'sku' | 'name' | 'description' | 'unitPrice' | 'taxRateBps' | 'priceIncludesTax'>
>;

export interface PageFilter {
  isActive: boolean;
  kind?: Kind;
  currency?: string;
  /** The last id of the previous page. */
  after?: string;
  limit: number;
}

export interface SearchFilter extends PageFilter {
  /** Each has to find the entry, see `searchTermsOf`. There is one at least. */
  terms: readonly string[];
}

export interface SearchResult {
  found: ProductService[];
  /** The id of the last entry that was read, if there are more to read. */
  readTo: string | null;
}

/** How many entries one search reads at most, so that no request makes the database read the whole catalogue. */
const SEARCH_READS = 2_000;
/** For how many terms a search finds out how many entries they find. */
const COMPARED_TERMS = 5;

/** How long a change collides with orders, which move the stock, before it gives up: a person waits for it. */
const CHANGE_MS = 15_000;

const AUDITED_FIELDS = [
  'sku',
  'name',
  'description',
  'kind',
  'unitPrice',
  'currency',
  'taxRateBps',
  'priceIncludesTax',
  'stock',
  'isActive',
] as const satisfies readonly (keyof ProductService)[];

/** The stock has changes of its own, and orders move it meanwhile. */
const CHANGEABLE_FIELDS = AUDITED_FIELDS.filter((field) => field !== 'stock');

/** All queries on the catalogue. Only ADMINs find a retired entry; orders keep what they bought. */
export function createProductServiceRepository(connection: Connection, searchReads = SEARCH_READS) {
  const entries = createProductServiceModel(connection);
  const recordAudit = createAuditRecorder(connection);
  const transact = createTransact(connection, CHANGE_MS);

  async function findOne(filter: QueryFilter<ProductServiceDocument>): Promise<ProductService | null> {
    const found = await entries.findOne(filter, HIDDEN).lean();
    return found && toProductService(found);
  }

  /** Makes a change together with its entry in the audit log. @returns undefined if the sku is taken */
  function write<T extends ProductService | null>(
    { origin, action, before }: { origin: Origin; action: string; before: ProductService | null },
    work: (session: ClientSession) => Promise<T>,
  ): Promise<T | undefined> {
    const changed = () =>
      transact(async (session) => {
        const after = await work(session);
        if (!after) return after;
        const changes = changesBetween(before, after, before ? CHANGEABLE_FIELDS : AUDITED_FIELDS);
        const about = { object: after.id, subject: null, personal: [] };
        if (changes.length > 0) await recordAudit({ origin, action, ...about, changes }, session);
        return after;
      });
    return unlessTaken(changed);
  }

  /** @returns null if the entry has another version or state, undefined if the sku is taken */
  function change(
    before: ProductService,
    changes: Partial<ProductServiceDocument>,
    { origin, action }: { origin: Origin; action: string },
  ): Promise<ProductService | null | undefined> {
    const { id, version, isActive } = before;
    return write({ origin, action, before }, async (session) => {
      const updated = await entries
        .findOneAndUpdate(
          { _id: id, isActive, version },
          { $set: changes, $inc: { version: 1 } },
          { returnDocument: 'after', projection: HIDDEN, session },
        )
        .lean();
      return updated && toProductService(updated);
    });
  }

  /** Returns the terms, that which finds the fewest entries first: the one by which to read the index. */
  async function rarestFirst(terms: readonly string[], isActive: boolean): Promise<string[]> {
    const longestFirst = terms.toSorted((a, b) => b.length - a.length); // a long one finds less
    if (longestFirst.length === 1) return longestFirst;
    const compared = longestFirst.slice(0, COMPARED_TERMS);
    const counts = await Promise.all(
      compared.map((term) => entries.countDocuments({ isActive, searchTerms: term }, { limit: searchReads })),
    );
    const rarest = compared[counts.indexOf(Math.min(...counts))]!;
    return [rarest, ...longestFirst.filter((term) => term !== rarest)];
  }

  return {
    /** Returns entries, newest first. */
    async findPage({ limit, ...filter }: PageFilter): Promise<ProductService[]> {
      const found = await entries.find(pageFilter(filter), HIDDEN).sort({ _id: -1 }).limit(limit).lean();
      return found.map(toProductService);
    },

    /** Returns the entries that all terms find, newest first, as far as they are among those that it reads. */
    async search({ terms, limit, ...filter }: SearchFilter): Promise<SearchResult> {
      const [rarest, ...others] = await rarestFirst(terms, filter.isActive);
      const read = { ...pageFilter({ isActive: filter.isActive, after: filter.after }), searchTerms: rarest };
      const [last] = await entries
        .find(read, { _id: 1 })
        .sort({ _id: -1 })
        .skip(searchReads - 1)
        .limit(1)
        .lean();
      const wanted: QueryFilter<ProductServiceDocument> = { ...pageFilter(filter), ...read };
      if (last) wanted._id = trusted({ $gte: last._id, ...(filter.after && { $lt: filter.after }) });
      if (others.length > 0) {
        // An expression, which is never the reason to read another part of the index.
        wanted.$expr = trusted({ $setIsSubset: [{ $literal: others }, '$searchTerms'] });
      }
      const found = await entries.find(wanted, HIDDEN).sort({ _id: -1 }).limit(limit).lean();
      return { found: found.map(toProductService), readTo: last?._id ?? null };
    },

    /** Returns the entry, even a retired one. */
    find: (id: string) => findOne({ _id: id }),

    findActive: (id: string) => findOne({ _id: id, isActive: true }),

    /** Returns retired entries as well. */
    async findByIds(ids: string[]): Promise<ProductService[]> {
      const found = await entries.find({ _id: trusted({ $in: ids }) }, HIDDEN).lean();
      return found.map(toProductService);
    },

    async findActiveByIds(ids: string[]): Promise<ProductService[]> {
      const found = await entries.find({ _id: trusted({ $in: ids }), isActive: true }, HIDDEN).lean();
      return found.map(toProductService);
    },

    /** @returns undefined if the sku is taken */
    insert: ({ id, ...fields }: NewProductService, origin: Origin) =>
      write({ origin, action: 'catalogue.create', before: null }, async (session) => {
        const stockReceived = fields.stock?.available ?? 0;
        const entry = { _id: id, ...fields, ...derivedFrom(fields), stockRevision: 0, stockReceived };
        const [created] = await entries.create([entry], { session });
        return toProductService(created!.toObject());
      }),

    /** @returns null if the entry has another version or is retired, undefined if the sku is taken */
    update: (entry: ProductService, changes: ProductServiceChanges, origin: Origin) =>
      change(
        entry,
        { ...changes, ...derivedFrom({ ...entry, ...changes }) },
        { origin, action: 'catalogue.change' },
      ),

    /** @returns null if the entry has another version or is retired */
    retire: (entry: ProductService, origin: Origin) =>
      change(entry, { isActive: false }, { origin, action: 'catalogue.retire' }),

    /** @returns null if the entry has another version or is active, undefined if the sku is taken */
    restore: (entry: ProductService, origin: Origin) =>
      change(entry, { isActive: true }, { origin, action: 'catalogue.restore' }),
  };
}

function pageFilter({
  isActive,
  kind,
  currency,
  after,
}: Omit<PageFilter, 'limit'>): QueryFilter<ProductServiceDocument> {
  const filter: QueryFilter<ProductServiceDocument> = { isActive };
  if (kind) filter.kind = kind;
  if (currency) filter.currency = currency;
  if (after) filter._id = trusted({ $lt: after });
  return filter;
}
