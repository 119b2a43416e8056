import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mongo } from 'mongoose';
import { waitForNamespace } from '../devstack/temporal';
import type { Rig } from './rig/rig';

/** What of a stored order tells how old it is, and whether it needs a workflow. */
export interface OrderThen {
  version: number;
  isOpen: boolean;
  /** Whether something is under way that changes it. */
  isMoving: boolean;
}

interface StoredOrder {
  _id: string;
  version: number;
  status: string;
  intention: object | null;
  compensations: { state: string }[];
}

/** Returns all orders as they are now. */
export async function ordersNow({ mongodbUri }: Pick<Rig, 'mongodbUri'>): Promise<Map<string, OrderThen>> {
  const client = new mongo.MongoClient(mongodbUri);
  try {
    const stored = client.db().collection<StoredOrder>('orders');
    const found = await stored.find({}, { readConcern: { level: 'majority' } }).toArray();
    return new Map(
      found.map(({ _id, version, status, intention, compensations }) => {
        const isOwing = compensations.some(({ state }) => state !== 'resolved');
        const isOpen = status === 'pending' || status === 'confirmed' || isOwing;
        return [_id, { version, isOpen, isMoving: status === 'pending' || intention !== null || isOwing }];
      }),
    );
  } finally {
    await client.close();
  }
}

const DATABASE = 'temporal.db';

/** Copies what Temporal has while it is suspended, as a snapshot of its disk would, and does something else meanwhile. */
export async function backUpTemporal<T>(
  { folder, units }: Rig,
  to: string,
  meanwhile: () => Promise<T>,
): Promise<T> {
  const temporal = units.get('temporal')!;
  temporal.freeze();
  try {
    await copyDatabase(folder, to);
    return await meanwhile();
  } finally {
    temporal.thaw();
  }
}

/** Has Temporal start with a copy, whatever it has. */
export async function putTemporalBack(
  { folder, units, temporalAddress, namespace }: Rig,
  from: string,
): Promise<void> {
  const temporal = units.get('temporal')!;
  await temporal.end('SIGKILL'); // what it has is lost anyway
  for (const name of await databaseFiles(folder)) await rm(join(folder, name));
  await copyDatabase(from, folder);
  await temporal.start();
  await waitForNamespace(temporalAddress, namespace, () => undefined);
}

/** With its write-ahead log, of which not everything may be in the database. */
async function copyDatabase(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await databaseFiles(from)) await cp(join(from, name), join(to, name));
}

async function databaseFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith(DATABASE));
}
