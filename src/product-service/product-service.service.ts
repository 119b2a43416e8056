import { newId } from '../common/ids';
import { pageOf, type Page } from '../common/pagination';
import type { Origin } from '../domain/audit';
import { unchargeableReason } from '../domain/money';
import { AppError } from '../errors/app-error';
import { invalid } from '../errors/invalid';
import type { Condition } from './entry-tag';
import { noSuchEntry } from './no-such-entry';
import type { ProductService } from './product-service.model';
import type { PageFilter, ProductServiceRepository } from './product-service.repository';
import type { ChangeBody, CreateBody } from './product-service.schema';
import { wordsOf } from './search-terms';

export type { ProductService };
export type CatalogueService = ReturnType<typeof createCatalogueService>;

export type CatalogueFilter = PageFilter & { q?: string };

export interface CataloguePage extends Page<ProductService> {
  /** The id after which the next page begins. */
  last: string | undefined;
}

export interface Reader {
  /** Whether the caller may read retired entries. */
  readsRetired: boolean;
}

export function createCatalogueService(repository: ProductServiceRepository) {
  async function get(
    id: string,
    { readsRetired }: Reader = { readsRetired: false },
  ): Promise<ProductService> {
    const entry = await (readsRetired ? repository.find(id) : repository.findActive(id));
    if (!entry) throw noSuchEntry(id);
    return entry;
  }

  /** A change that loses a race is tried again: then a stale version is rejected, and `*` matches any. */
  async function untilDone<T>(attempt: () => Promise<T | null>): Promise<T> {
    for (;;) {
      const done = await attempt();
      if (done !== null) return done;
    }
  }

  return {
    get,

    /** @param q the beginnings of words, all of which must match */
    async list({ limit, q, ...filter }: CatalogueFilter): Promise<CataloguePage> {
      const page = { ...filter, limit: limit + 1 };
      if (q === undefined) return cataloguePage(await repository.findPage(page), limit);
      const terms = wordsOf(q);
      if (terms.length === 0) return cataloguePage([], limit); // nothing but punctuation
      const { found, readTo } = await repository.search({ ...page, terms });
      return cataloguePage(found, limit, readTo);
    },

    async create({ stock = 0, ...input }: CreateBody, origin: Origin): Promise<ProductService> {
      requireChargeablePrice(input);
      const entry = {
        ...input,
        id: newId('ps'),
        stock: input.kind === 'product' ? { available: stock, reserved: 0 } : null,
        isActive: true,
        version: 1,
      };
      const created = await repository.insert(entry, origin);
      if (!created) throw skuTaken(input.sku);
      return created;
    },

    change(id: string, requireSame: Condition, changes: ChangeBody, origin: Origin): Promise<ProductService> {
      return untilDone(async () => {
        const entry = await get(id);
        requireSame(entry);
        requireChargeablePrice({ ...entry, ...changes });
        const changed = await repository.update(entry, changes, origin);
        if (changed === undefined) throw skuTaken(changes.sku);
        return changed;
      });
    },

    async retire(id: string, requireSame: Condition, origin: Origin): Promise<void> {
      await untilDone(async () => {
        const entry = await get(id);
        requireSame(entry);
        return repository.retire(entry, origin);
      });
    },

    /** Makes a retired entry active again. An active one stays as it is, so that a request can be repeated. */
    restore(id: string, requireSame: Condition, origin: Origin): Promise<ProductService> {
      return untilDone(async () => {
        const entry = await get(id, { readsRetired: true });
        requireSame(entry);
        if (entry.isActive) return entry;
        const restored = await repository.restore(entry, origin);
        if (restored === undefined) throw skuTakenMeanwhile(entry.sku);
        return restored;
      });
    },
  };
}

/** @throws {AppError} cards cannot be charged the price exactly */
function requireChargeablePrice({ unitPrice, currency }: Pick<CreateBody, 'unitPrice' | 'currency'>): void {
  const reason = unchargeableReason(unitPrice, currency);
  if (reason !== null) throw invalid([{ path: 'unitPrice', message: `is not possible: ${reason}` }]);
}

/** @param readTo where a search has stopped, and the next page begins */
function cataloguePage(found: ProductService[], limit: number, readTo: string | null = null): CataloguePage {
  const page = pageOf(found, limit);
  if (page.more || readTo === null) return { ...page, last: page.entries.at(-1)?.id };
  return { ...page, more: true, last: readTo };
}

function skuTaken(sku: string | undefined): AppError {
  return new AppError('already_exists', `The sku ${sku} is in use: choose another, or change that entry.`, {
    errors: [{ path: 'sku', message: 'is in use' }],
  });
}

function skuTakenMeanwhile(sku: string): AppError {
  return new AppError(
    'already_exists',
    `Another entry has the sku ${sku} meanwhile: change or retire that one, then restore this one.`,
  );
}
