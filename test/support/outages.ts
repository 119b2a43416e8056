import type { Activities } from '../../src/worker/activities';
import { deferred, type Deferred } from '../workflows/saga/deferred';
import { eventually, repeat } from './eventually';
import { openShop, type Shop } from './shop';
import { startStoppableServers, type StoppableServers } from './stoppable-servers';
import type { Sabotage } from './worker';

/** Where an order is when something dies: before or after the effect of a step. */
export interface Moment {
  step: keyof Activities;
  moment: 'before' | 'after';
}

/** Lets orders wait at their moments until all of them are there and something was killed. */
export function createGates() {
  const awaited = new Map<string, Moment & { isThere: Deferred }>();
  let opened = deferred();

  async function pass(orderId: string, step: string, moment: Moment['moment']): Promise<void> {
    const gate = awaited.get(orderId);
    if (gate?.step !== step || gate.moment !== moment) return;
    gate.isThere.resolve();
    await opened.promise;
  }

  const sabotage: Sabotage = {
    activities(activities) {
      const entries = Object.entries(activities).map(([name, run]) => [
        name,
        async (...args: [{ orderId: string }]) => {
          const { orderId } = args[0];
          await pass(orderId, name, 'before');
          const result: unknown = await (run as (...args: unknown[]) => Promise<unknown>)(...args);
          await pass(orderId, name, 'after');
          return result;
        },
      ]);
      return Object.fromEntries(entries) as Activities;
    },
  };

  return {
    sabotage,
    /** Has the order wait at the moment. Resolves when it is there. */
    async hold(orderId: string, { step, moment }: Moment): Promise<void> {
      const isThere = deferred();
      awaited.set(orderId, { step, moment, isThere });
      const late = () => `The order ${orderId} does not come ${moment} ${step}.`;
      await repeat(async () => isThere.isResolved() || undefined, late);
    },
    /** Lets all continue, and those that come later pass. */
    open(): void {
      awaited.clear();
      opened.resolve();
      opened = deferred();
    },
  };
}

/** Servers of its own that a test can kill, and shops on them. */
export interface Outages {
  servers: StoppableServers;
  openShop(): Promise<Shop>;
  /** Starts the server, and waits until it responds. Its outstanding work may take longer, for which commands wait. */
  restart(server: 'temporal' | 'mongodb'): Promise<void>;
  close(): Promise<void>;
}

export async function openOutages(): Promise<Outages> {
  const usual = { ...process.env };
  const servers = await startStoppableServers();
  process.env.TEMPORAL_ADDRESS = servers.temporal.address; // the configuration of shops and workers reads them
  process.env.MONGODB_URI = servers.mongodb.address;
  const shops: Shop[] = [];
  return {
    servers,
    async openShop() {
      const shop = await openShop({ own: true });
      shops.push(shop);
      return shop;
    },
    async restart(server) {
      await servers[server].start();
      await eventually(() =>
        Promise.all(
          shops.flatMap((shop) => [shop.temporal.checkHealth(), shop.products.findActiveByIds([])]),
        ),
      );
    },
    async close() {
      for (const shop of shops) await shop.close();
      Object.assign(process.env, usual);
      await servers.remove();
    },
  };
}
