import type { Connection } from 'mongoose';
import { eventIdOf, PRODUCT_EVENTS, type ProductEventType } from '../../domain/events';
import {
  createProductServiceModel,
  toProductService,
  type ProductServiceDocument,
} from '../../product-service/product-service.model';
import { presentProductService } from '../../product-service/product-service.presenter';
import type { ProductServiceView } from '../../product-service/product-service.schema';
import type { Draft, EventSource } from '../event-source';
import type { AvailabilityDocument } from '../events.model';
import type { EventRepository, RelayRepository } from '../events.repository';
import { pagesOf } from './pages';

const PRICE: readonly (keyof ProductServiceDocument)[] = ['unitPrice', 'taxRateBps', 'priceIncludesTax'];

/**
 * Orders move the stock of products all the time, so of its movements only those are events that begin and end its absence.
 * What a movement was before it nothing tells; which products are known to be out of stock is remembered instead.
 */
export async function productSource(
  connection: Connection,
  feed: Pick<EventRepository, 'lastOf'>,
  relay: Pick<RelayRepository, 'availability'>,
): Promise<EventSource> {
  const products = connection.collection<ProductServiceDocument>(
    createProductServiceModel(connection).collection.name,
  );
  const said = new Map((await relay.availability()).map((one) => [one._id, one]));

  function draft(
    product: ProductServiceDocument,
    types: ProductEventType[],
    name: Partial<Named> = {},
  ): Draft {
    const { version = product.version, suffix = version, at = product.updatedAt } = name;
    return {
      event: {
        _id: eventIdOf(product._id, suffix),
        type: types[0]!,
        types,
        at,
        object: product._id,
        version,
        follows: null,
        data: presentProductService(toProductService(product)),
      },
    };
  }

  /** Returns the event of a product that has run out, or is there again; none of any other. */
  function ofStock(product: ProductServiceDocument, available: number, revision: number, at: Date): Draft[] {
    const id = product._id;
    const isOut = available === 0;
    if (!isNews(id, isOut, revision)) return [];
    const made = draft(product, [isOut ? 'product.out_of_stock' : 'product.back_in_stock'], {
      suffix: `s${revision}`,
      at,
    });
    return [{ ...made, alongside: remembering({ _id: id, isOut, revision }) }];
  }

  /** What is older than what was said last is no news: it was swept. */
  function isNews(id: string, isOut: boolean, revision: number): boolean {
    const last = said.get(id);
    return last ? isOut !== last.isOut && revision > last.revision : isOut;
  }

  function creation(product: ProductServiceDocument): Draft {
    const created = draft(product, ['product.created']);
    // That it has none is in the event itself.
    if (product.stock?.available !== 0) return created;
    const { _id, stockRevision: revision } = product;
    return { ...created, alongside: remembering({ _id, isOut: true, revision }) };
  }

  function remembering(now: AvailabilityDocument): Draft['alongside'] {
    said.set(now._id, now);
    return ({ availability }, session) =>
      availability.replaceOne({ _id: now._id }, now, { upsert: true, session });
  }

  const find = (id: string) => products.findOne({ _id: id });

  async function ofUpdate(id: string, updated: Fields, at: Date): Promise<Draft[]> {
    const available = updated['stock.available'];
    const revision = Number(updated.stockRevision);
    const isCrossing = typeof available === 'number' && isNews(id, available === 0, revision);
    if (updated.version === undefined && !isCrossing) return [];
    const product = await find(id);
    if (!product) return [];
    if (typeof updated.version !== 'number') return ofStock(product, available as number, revision, at);
    return [
      draft(product, editedTypes(Object.keys(updated), updated.isActive), { version: updated.version, at }),
    ];
  }

  /** Returns what the feed lacks of a product. */
  function missedOf(product: ProductServiceDocument, last: ProductServiceView | undefined): Draft[] {
    const { stock, stockRevision, version, isActive, updatedAt } = product;
    if (!last) return [creation(product)];
    const ofItsStock = stock ? ofStock(product, stock.available, stockRevision, updatedAt) : [];
    if (version <= last.version) return ofItsStock;
    const changed = PRICE.filter((field) => product[field] !== last[field as keyof ProductServiceView]);
    const types = editedTypes(changed, isActive === last.isActive ? undefined : isActive);
    return [draft(product, types), ...ofItsStock];
  }

  return {
    collection: products.collectionName,
    writes: { operationType: { $in: ['insert', 'update'] } },

    async eventsOf(write) {
      const id = String(write.documentKey._id);
      if (write.operationType === 'update')
        return ofUpdate(id, write.updateDescription.updatedFields!, write.wallTime!);
      return [creation(write.fullDocument as ProductServiceDocument)];
    },

    async *missedSince(since) {
      const found = products.find({}, { sort: { _id: 1 } });
      for await (const page of pagesOf(found)) {
        const events = await feed.lastOf(page.map(({ _id }) => _id));
        const last = new Map(events.map(({ object, data }) => [object, data as ProductServiceView]));
        yield page.flatMap((product) => {
          const isEdited = product.updatedAt >= since;
          const asItIs = isEdited ? undefined : presentProductService(toProductService(product));
          return missedOf(product, last.get(product._id) ?? asItIs);
        });
      }
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

interface Named {
  version: number;
  /** What tells the event apart. */
  suffix: number | string;
  at: Date;
}

/** @param isActive if it has changed */
function editedTypes(fields: readonly string[], isActive: unknown): ProductEventType[] {
  const happened = new Set<ProductEventType>([
    ...(PRICE.some((field) => fields.includes(field)) ? (['product.price_changed'] as const) : []),
    ...(isActive === false ? (['product.retired'] as const) : []),
    ...(isActive === true ? (['product.restored'] as const) : []),
  ]);
  if (happened.size === 0) return ['product.updated'];
  return (Object.keys(PRODUCT_EVENTS) as ProductEventType[]).filter((type) => happened.has(type));
}
