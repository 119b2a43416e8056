import {
  groupBy,
  type Snapshot,
  type StoredAdjustment,
  type StoredAuditEntry,
  type StoredCart,
  type StoredOrder,
  type StoredProduct,
} from './documents';
import type { Findings } from './finding';
import { openUnits } from './orders';

/** Counts units by product. */
export type Units = Map<string, number>;

export function countUnits(units: Units, productId: string, count: number): void {
  units.set(productId, (units.get(productId) ?? 0) + count);
}

/** What orders keep and have taken of each product. */
export interface OrderedUnits {
  reserved: Units;
  /** With customers, or lost on the way. */
  gone: Units;
}

export function createOrderedUnits(): OrderedUnits {
  return { reserved: new Map(), gone: new Map() };
}

/** Adds what an order keeps and has taken. */
export function countOrder({ items, reservation }: StoredOrder, { reserved, gone }: OrderedUnits): void {
  for (const item of items) {
    if (item.kind !== 'product') continue;
    const { productServiceId: id, fulfilledQuantity, restockedQuantity = 0, writtenOffQuantity = 0 } = item;
    countUnits(reserved, id, reservation === 'held' ? openUnits(item) : 0);
    countUnits(gone, id, fulfilledQuantity - restockedQuantity + writtenOffQuantity);
  }
}

/** Judges the stock of each product by what orders and carts say. */
export async function auditStock(
  snapshot: Snapshot,
  { reserved, gone, created }: OrderedUnits & { created: Units },
  findings: Findings,
): Promise<void> {
  const held = await heldByCarts(snapshot);
  const putIn = await putInOf(snapshot, created);
  const known = new Set<string>();
  for await (const { _id, stock } of snapshot.find<StoredProduct>('product_services')) {
    if (!stock) continue;
    known.add(_id);
    const found = { available: stock.available, reserved: stock.reserved, held: stock.held ?? 0 };
    const isSo = Object.values(found).every((units) => units >= 0);
    findings.holds('stock_negative', _id, 'none below 0', isSo, found);
    findings.same('stock_reserved', _id, reserved.get(_id) ?? 0, found.reserved);
    findings.same('stock_held', _id, held.get(_id) ?? 0, found.held);
    const taken = gone.get(_id) ?? 0;
    const all = found.available + found.reserved + found.held + taken;
    if (all !== putIn.get(_id))
      findings.add('stock_lost', _id, { putIn: putIn.get(_id) ?? null }, { all, ...found, gone: taken });
  }
  for (const units of [reserved, held, gone])
    for (const [id, count] of units)
      if (count !== 0 && !known.has(id)) findings.add('stock_unknown', id, 'a product with stock', { count });
}

async function heldByCarts(snapshot: Snapshot): Promise<Units> {
  const held: Units = new Map();
  for await (const { hold } of snapshot.find<StoredCart>('carts', { hold: { $ne: null } }))
    for (const { productServiceId, quantity } of hold!.items) countUnits(held, productServiceId, quantity);
  return held;
}

/** Returns how many units of each product were ever put in: as it was created, and by adjustments since. */
async function putInOf(snapshot: Snapshot, created: Units): Promise<Units> {
  const putIn: Units = new Map(created);
  for await (const { productServiceId, delta } of snapshot.find<StoredAdjustment>('stock_adjustments'))
    countUnits(putIn, productServiceId, delta);
  return putIn;
}

/** Returns by how many units each adjustment of each product has changed what is available. */
export async function adjustedUnits(snapshot: Snapshot): Promise<Map<string, number[]>> {
  const made = groupBy(
    await snapshot.find<StoredAdjustment>('stock_adjustments').toArray(),
    ({ productServiceId }) => productServiceId,
  );
  return new Map([...made].map(([id, adjustments]) => [id, adjustments.map(({ delta }) => delta)]));
}

/** Returns with how many units each product was created. */
export async function createdUnits(snapshot: Snapshot): Promise<Units> {
  const units: Units = new Map();
  const created = snapshot.find<StoredAuditEntry>('audit', { action: 'catalogue.create' });
  for await (const { object, changes } of created)
    for (const { field, after } of changes) if (field === 'stock') countUnits(units, object, unitsIn(after));
  return units;
}

function unitsIn(stock: unknown): number {
  return (stock as { available?: number } | null)?.available ?? 0;
}
