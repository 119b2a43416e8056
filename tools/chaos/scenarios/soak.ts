import { Client, Connection } from '@temporalio/client';
import { mongo } from 'mongoose';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createOwnedFolder, removeFolder } from '../../owned-folder';
import { PROJECT_ROOT } from '../../project';
import { send } from '../clients/http';
import type { Shop } from '../clients/shop';
import { inject } from '../inject';
import { judgeMemory, watchMemory, type Samples } from '../memory';
import { notProven, type Bar } from '../proof';
import type { Finding, Run } from '../report';
import type { Rig } from '../rig/rig';
import { soakFaultsOf } from '../schedule';
import { onRig, type Scenario } from './scenario';
import { showSchedule, underLoad } from './under-load';

/** Most orders continue in a run that knows nothing of the one before but what it was handed. */
const CONTINUE_AS_NEW = 'limit.historyCount.suggestContinueAsNew=30';
/** One worker forgets nearly every workflow that it is not at, the other one few. */
const CACHES = {
  'worker-1': { WORKER_MAX_CACHED_WORKFLOWS: '3' },
  'worker-2': { WORKER_MAX_CACHED_WORKFLOWS: '500' },
};
const HOLD_MS = 10_000;
const HOLD_PAUSE_MS = 20_000;
/** Releases expired holds every 15 minutes, which is not waited for. */
const CARTS = 'orders-carts';
/** What expires is deleted once a minute, and what ends has to be recorded. */
const GONE_MS = 150_000;
const POLL_MS = 2_000;
const ORDER_WORKFLOWS = /^(order|closedOrder)Workflow$/;

/** The system works for long, and nothing piles up in it. */
export const soak: Scenario = {
  name: 'soak',
  about:
    'a fault every 15 s for long, with small and large caches of workflows: memory stays, and nothing is left over',
  async run(options) {
    const { seed, minutes, signal } = options;
    const temporary = await createOwnedFolder(tmpdir(), 'orders-soak-');
    try {
      return await onRig(
        'soak',
        options,
        {
          env: {
            TMPDIR: temporary,
            NODE_OPTIONS: `--require ${join(PROJECT_ROOT, 'tools/chaos/rig/collect-garbage.cjs')}`,
            CART_HOLD: `${HOLD_MS / 1_000}s`,
          },
          envOf: CACHES,
          temporalConfig: [CONTINUE_AS_NEW],
        },
        async (rig) => {
          const schedule = soakFaultsOf(seed, minutes * 60_000);
          showSchedule(schedule, options);
          let samples: Samples = new Map();
          let files: string[] = [];
          let held = 0;
          return underLoad(rig, options, {
            async disturb(tell, shop) {
              files = await readdir(rig.folder);
              const stopWatch = watchMemory(rig, minutes * 60_000);
              const ended = new AbortController();
              const holding = holdNowAndThen(rig, shop, AbortSignal.any([signal, ended.signal]));
              try {
                await inject(rig, schedule, signal, tell);
              } finally {
                ended.abort();
                samples = stopWatch();
              }
              held = await holding;
            },
            async look() {
              const memory = judgeMemory(samples, { minutes, processes: [...rig.units.keys()] });
              const left = await leftOver(rig);
              const added = (await readdir(rig.folder)).filter((name) => !files.includes(name));
              const filesLeft = [...added, ...(await readdir(temporary))].map((name) =>
                leftIn('files', name),
              );
              return {
                findings: [
                  ...memory.findings,
                  ...left.findings,
                  ...filesLeft,
                  ...notProven([barOfHolds(held, minutes)]),
                ],
                figures: { ...memory.figures, ...left.figures, 'holds that were left to expire': held },
              };
            },
          });
        },
      );
    } finally {
      await removeFolder(temporary);
    }
  },
};

/** Holds goods in a cart again and again, and never orders them. Returns how often this was answered with success. */
async function holdNowAndThen({ apis }: Rig, { admin }: Shop, signal: AbortSignal): Promise<number> {
  let held = 0;
  const urls = [...apis.values()];
  const token = admin;
  let productId: string | undefined;
  for (let turn = 0; !signal.aborted; turn++) {
    const url = urls[turn % urls.length]!;
    const body = { ...SCARCE, sku: `CHAOS-HELD-${turn}` };
    productId ??= idOf(await send(url, { method: 'POST', path: '/product-services', token, body }));
    const cartId = idOf(await send(url, { method: 'POST', path: '/carts', token }));
    if (productId !== undefined && cartId !== undefined) {
      const path = `/carts/${cartId}/items/${productId}`;
      await send(url, { method: 'PUT', path, token, body: { quantity: 1 + (turn % 3) } });
      const { status } = await send(url, { method: 'POST', path: `/carts/${cartId}/hold`, token });
      if (status !== null && status < 300) held++;
    }
    await delay(HOLD_PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  return held;
}

/** Without holds, none could be left over. Faults may keep most of them from being made, but not more. */
function barOfHolds(held: number, minutes: number): Bar {
  const atLeast = Math.max(1, Math.floor((minutes * 60_000) / HOLD_PAUSE_MS / 4));
  return { what: 'holds that nobody ends', atLeast, found: held };
}

/** It may have been made though nothing has come back: then there is another one, by another code. */
const SCARCE = {
  name: 'Held and left',
  kind: 'product',
  unitPrice: 500,
  currency: 'EUR',
  taxRateBps: 1_900,
  stock: 20,
};

const idOf = ({ data }: { data?: unknown }): string | undefined => (data as { id?: string } | undefined)?.id;

type Looked = { findings: Finding[]; figures: NonNullable<Run['figures']> };

/** Looks for what should have ended, expired or been deleted, until nothing is found or the time for that is over. */
async function leftOver(rig: Rig): Promise<Looked> {
  const connection = await Connection.connect({ address: rig.temporalAddress });
  const mongodb = new mongo.MongoClient(rig.mongodbUri, { readConcern: { level: 'majority' } });
  try {
    const client = new Client({ connection, namespace: rig.namespace });
    await delay(HOLD_MS); // the last hold is over as well
    await client.schedule.getHandle(CARTS).trigger();
    const continued = (await client.workflow.count("ExecutionStatus = 'ContinuedAsNew'")).count;
    const figures = { 'workflows that continued as new': continued };
    for (const end = performance.now() + GONE_MS; ; await delay(POLL_MS)) {
      const findings = [
        ...(await workflowsLeft(client)),
        ...(await expiredIn(mongodb.db())),
        ...(continued > 0 ? [] : [leftIn('workflows', 'all, since none has continued as new')]),
      ];
      if (findings.length === 0 || performance.now() > end) return { findings, figures };
    }
  } finally {
    await mongodb.close();
    await connection.close();
  }
}

/** The audit judges those of orders. Of others, there is one of each kind at most. */
async function workflowsLeft({ workflow }: Client): Promise<Finding[]> {
  const running = new Map<string, string[]>();
  for await (const { type, workflowId } of workflow.list({ query: "ExecutionStatus = 'Running'" }))
    if (!ORDER_WORKFLOWS.test(type)) running.set(type, [...(running.get(type) ?? []), workflowId]);
  return [...running].flatMap(([type, ids]) =>
    ids.length > 1 ? [leftIn('workflows', `${ids.length} of ${type}: ${ids.join(', ')}`)] : [],
  );
}

/** Looks for documents that MongoDB should have deleted, and for holds that are over. */
async function expiredIn(db: mongo.Db): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name } of await db.listCollections({ type: 'collection' }, { nameOnly: true }).toArray()) {
    const collection = db.collection(name);
    for (const { key, expireAfterSeconds } of await collection.indexes()) {
      if (expireAfterSeconds === undefined) continue;
      const [field] = Object.keys(key) as [string];
      const before = new Date(Date.now() - expireAfterSeconds * 1_000);
      const count = await collection.countDocuments({ [field]: { $lt: before } });
      if (count > 0) findings.push(leftIn(name, `${count} that have expired by ${field}`));
    }
  }
  const holds = await db.collection('carts').countDocuments({ 'hold.until': { $lt: new Date() } });
  if (holds > 0) findings.push(leftIn('carts', `${holds} that hold goods though their time is over`));
  return findings;
}

function leftIn(subject: string, found: string): Finding {
  return {
    kind: 'left_over',
    means: 'Something has piled up',
    subject,
    expected: 'nothing but what is still needed',
    found,
  };
}
