import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { createPaymentActivities } from '../../activities/payments.activities';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { loadConfig } from '../../src/config';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createPaymentProvider } from '../../src/worker/activities';
import { workerOptions } from '../../src/worker/options';

/** A worker of the payments queue whose payment service takes PAYMENT_LATENCY_MS, like a real one. */
async function main(): Promise<void> {
  const config = loadConfig('worker', process.env);
  const latencyMs = Number(process.env.PAYMENT_LATENCY_MS);
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const mongodb = openMongoDb(config.mongodb, pino({ level: 'warn' }));
  await mongodb.connected;
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const provider = createPaymentProvider(config, mongodb.connection)!;
  const slow: PaymentProvider = {
    ...provider,
    async authorize(authorization) {
      await delay(latencyMs);
      return provider.authorize(authorization);
    },
  };
  const activities = createPaymentActivities({ provider: slow });
  const worker = await Worker.create({
    ...workerOptions('payments', config, { activities, buildId: 'bench' }),
    connection,
  });
  console.log('worker started');
  await worker.runUntil(once(process, 'SIGTERM').then(() => undefined));
  await connection.close();
  await mongodb.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
