import { WithStartWorkflowOperation } from '@temporalio/client';
import Koa from 'koa';
import { Schema } from 'mongoose';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import type { State } from '../../src/http/context';
import { jsonBody } from '../../src/http/json-body';
import { loadConfig } from '../../src/config';
import type { OrderLine } from '../../src/domain/order';
import { createJwt } from '../../src/jwt/jwt';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createOrderModel } from '../../src/orders/orders.model';
import { orderIdOf, orderRequest } from '../../src/orders/order-request';
import { createTemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { BENCH_PAYMENTS_TASK_QUEUE, BENCH_TASK_QUEUE, type Variant } from './contract';
import {
  emptyUpdate,
  type emptyUpdateWorkflow,
  type emptyWorkflow,
  type usualOrderWorkflow,
} from './workflows';

interface PlaceBody {
  items: OrderLine[];
  paymentMethod: string;
}

/** Each variant takes the same request as `POST /orders`, and checks the access token of its caller. */
async function main(): Promise<void> {
  const config = loadConfig('api', process.env);
  const mongodb = openMongoDb(config.mongodb, pino({ level: 'warn' }));
  await mongodb.connected;
  const { client } = createTemporalClient(config.temporal, createDataConverter([]));
  const jwt = createJwt(config.jwt);
  const orders = mongodb.connection.model(
    'BenchOrder',
    new Schema({ _id: String, customerId: String, items: [Object] }, { collection: 'bench_orders' }),
  );
  const stored = createOrderModel(mongodb.connection);
  const start = { taskQueue: BENCH_TASK_QUEUE };

  const variants: Record<Variant, (body: PlaceBody, customerId: string) => Promise<unknown>> = {
    'empty-route': async () => null,
    async 'no-durability'({ items }, customerId) {
      const { _id } = await orders.create({ _id: randomUUID(), customerId, items });
      return orders.findById(_id).lean();
    },
    'empty-workflow': () =>
      client.workflow.execute<typeof emptyWorkflow>('emptyWorkflow', { ...start, workflowId: randomUUID() }),
    'empty-update': () =>
      client.workflow.executeUpdateWithStart(emptyUpdate, {
        startWorkflowOperation: new WithStartWorkflowOperation<typeof emptyUpdateWorkflow>(
          'emptyUpdateWorkflow',
          { ...start, workflowId: randomUUID(), workflowIdConflictPolicy: 'FAIL' },
        ),
      }),
    usual({ items, paymentMethod }, customerId) {
      const content = { items, paymentMethod, note: null, shippingAddress: null, requestId: 'bench' };
      const owner = { customerId, placedBy: customerId };
      const key = randomUUID();
      const request = orderRequest(orderIdOf(customerId, key), key, { ...content, ...owner });
      return client.workflow.execute<typeof usualOrderWorkflow>('usualOrderWorkflow', {
        ...start,
        workflowId: `usual-${request.orderId}`,
        args: [request, BENCH_PAYMENTS_TASK_QUEUE],
      });
    },
  };

  const app = new Koa<State>();
  const authenticate = jwt.authenticate({
    getToken: (ctx) => ctx.get('Authorization').replace('Bearer ', ''),
    isRevoked: () => false,
  });
  app.use(authenticate).use(jsonBody('100kb'));
  app.use(async (ctx) => {
    const { principal } = ctx.state;
    if (!principal) return ctx.throw(401);
    const [, variant, id] = ctx.path.split('/') as [string, Variant | 'read', string?];
    const data =
      variant === 'read'
        ? await stored.findById(id).lean()
        : await variants[variant](ctx.request.body as PlaceBody, principal.id);
    ctx.body = { data };
    ctx.status = variant === 'read' ? 200 : 201;
  });
  const server = app.listen(config.http.port, '127.0.0.1');
  server.keepAliveTimeout = 65_000; // as the API: the client keeps connections that idle while others have their turn
  await once(server, 'listening');
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
  process.once('SIGTERM', () => process.exit(0));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
