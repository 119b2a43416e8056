import { newId } from '../common/ids';
import { pageOf, type Page } from '../common/pagination';
import { unchargeableReason } from '../domain/money';
import { AppError } from '../errors/app-error';
import { invalid } from '../http/validate';
import type { ProductService, ProductServiceRepository } from './product-service.repository';
import type { ChangeBody, CreateBody, ListQuery, StockAdjustmentBody } from './product-service.schema';

export type CatalogueService = ReturnType<typeof createCatalogueService>;

export function createCatalogueService(repository: ProductServiceRepository) {
  async function get(id: string): Promise<ProductService> {
    const entry = await repository.findActive(id);
    if (!entry) throw notFound(id);
    return entry;
  }

  return {
    get,

    async list({
      limit,
      ...filter
    }: Omit<ListQuery, 'cursor'> & { after?: string }): Promise<Page<ProductService>> {
      return pageOf(await repository.findPage({ ...filter, limit: limit + 1 }), limit);
    },

    async create({ stock = 0, ...input }: CreateBody): Promise<ProductService> {
      requireChargeablePrice(input);
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

    /** @param checkVersion throws if the caller has not read the version that it is given */
    async change(
      id: string,
      checkVersion: (version: number) => void,
      changes: ChangeBody,
    ): Promise<ProductService> {
      // A change that loses a race is tried again: then a stale version is rejected, and `*` matches any.
      for (;;) {
        const { version, unitPrice, currency } = await get(id);
        checkVersion(version);
        requireChargeablePrice({ unitPrice, currency, ...changes });
        const changed = await repository.update(id, version, changes);
        if (changed === undefined) throw skuTaken(changes.sku);
        if (changed) return changed;
      }
    },

    /** @param checkVersion throws if the caller has not read the version that it is given */
    async retire(id: string, checkVersion: (version: number) => void): Promise<void> {
      for (;;) {
        const { version } = await get(id);
        checkVersion(version);
        if (await repository.retire(id, version)) return;
      }
    },

    async adjustStock(id: string, adjustment: StockAdjustmentBody & { by: string }): Promise<ProductService> {
      const { kind } = await get(id);
      if (kind === 'service') throw new AppError('invalid_transition', 'A service has no stock to adjust.');
      const adjusted = await repository.adjustStock({ ...adjustment, productServiceId: id });
      if (!adjusted) throw tooFewAvailable(await get(id), adjustment.delta);
      return adjusted;
    },
  };
}

/** @throws {AppError} cards cannot be charged the price exactly */
function requireChargeablePrice({ unitPrice, currency }: Pick<CreateBody, 'unitPrice' | 'currency'>): void {
  const reason = unchargeableReason(unitPrice, currency);
  if (reason !== null) throw invalid([{ path: 'unitPrice', message: `is not possible: ${reason}` }]);
}

function tooFewAvailable({ stock }: ProductService, delta: number): AppError {
  return new AppError(
    'out_of_stock',
    `Cannot remove ${-delta} units, because only ${stock!.available} are available: remove fewer.`,
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
