import { newId } from '../common/ids';
import { pageOf, type Page } from '../common/pagination';
import { AppError } from '../errors/app-error';
import type { ProductService, ProductServiceRepository } from './product-service.repository';
import type { ChangeBody, CreateBody, ListQuery, StockAdjustmentBody } from './product-service.schema';

export interface CatalogueService {
  list(query: Omit<ListQuery, 'cursor'> & { after?: string }): Promise<Page<ProductService>>;
  get(id: string): Promise<ProductService>;
  create(input: CreateBody): Promise<ProductService>;
  /** `checkVersion` throws when the caller has not seen the version it is handed. */
  change(id: string, checkVersion: (version: number) => void, changes: ChangeBody): Promise<ProductService>;
  retire(id: string): Promise<void>;
  adjustStock(id: string, adjustment: StockAdjustmentBody & { by: string }): Promise<ProductService>;
}

export function createCatalogueService(repository: ProductServiceRepository): CatalogueService {
  async function get(id: string): Promise<ProductService> {
    const entry = await repository.findActive(id);
    if (!entry) throw notFound(id);
    return entry;
  }

  return {
    get,

    async list({ limit, ...filter }) {
      return pageOf(await repository.findPage({ ...filter, limit: limit + 1 }), limit);
    },

    async create({ stock = 0, ...input }) {
      const created = await repository.insert({
        ...input,
        id: newId('ps'),
        stock: input.kind === 'product' ? { available: stock, reserved: 0 } : null,
        isActive: true,
        version: 1,
      });
      if (!created) throw skuTaken(input.sku);
      return created;
    },

    async change(id, checkVersion, changes) {
      // Whoever loses the race reads again: the check then refuses a stale version and lets `*` have another go.
      for (;;) {
        const { version } = await get(id);
        checkVersion(version);
        const changed = await repository.update(id, version, changes);
        if (changed === undefined) throw skuTaken(changes.sku);
        if (changed) return changed;
      }
    },

    async retire(id) {
      if (!(await repository.retire(id))) throw notFound(id);
    },

    async adjustStock(id, adjustment) {
      const { kind } = await get(id);
      if (kind === 'service') throw new AppError('invalid_transition', 'A service has no stock to adjust.');
      const adjusted = await repository.adjustStock({
        ...adjustment,
        productServiceId: id,
      });
      return adjusted ?? refuse(await get(id), adjustment.delta);
    },
  };
}

function refuse({ stock }: ProductService, delta: number): never {
  throw new AppError(
    'out_of_stock',
    `${-delta} units cannot be taken away, since only ${stock!.available} are available: take away fewer.`,
  );
}

function notFound(id: string): AppError {
  return new AppError('not_found', `There is no product or service ${id}: it never existed or was retired.`);
}

function skuTaken(sku: string | undefined): AppError {
  return new AppError('already_exists', `The sku ${sku} is in use: choose another, or change that entry.`, {
    errors: [{ path: 'sku', message: 'is in use' }],
  });
}
