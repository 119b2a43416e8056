import Joi from 'joi';
import { decodeCursor, encodeCursor } from '../common/pagination';
import type { Context } from '../http/context';
import { originOf } from '../http/origin';
import { sendPage } from '../http/respond';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import { sameStock } from './entry-tag';
import { presentStockAdjustment } from './product-service.presenter';
import { ETAG, PATH, sendEntry, TAG } from './product-service.routes';
import { idParams, productService } from './product-service.schema';
import * as schema from './stock-adjustments.schema';
import type { AdjustedProduct, StockAdjustmentService } from './stock-adjustments.service';

const REPLAYED = { 'Idempotent-Replayed': '`true` if an earlier request with this key did it' };
const CURSOR = Joi.array().ordered(Joi.number().integer().min(0).required()).required();

export function stockAdjustmentRoutes(stock: StockAdjustmentService): Route[] {
  return [
    route({
      method: 'get',
      path: `${PATH}/:id/stock-adjustments`,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'listStockAdjustments',
      summary: 'List who changed the stock of a product, when and why, newest first',
      description: 'What orders reserve and release is not listed.',
      tag: TAG,
      params: idParams,
      query: schema.listStockAdjustmentsQuery,
      responses: { 200: { description: 'Adjustments', data: schema.stockAdjustment, list: true } },
      errors: ['not_found'],
      async handler(ctx, { params, query: { cursor, limit } }) {
        const [before] = cursor === undefined ? [] : decodeCursor<[number]>(cursor, CURSOR);
        const { entries, more } = await stock.list(params.id, { before, limit });
        sendPage(ctx, entries.map(presentStockAdjustment), {
          limit,
          nextCursor: more ? encodeCursor([entries.at(-1)!.stockRevision]) : null,
        });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/:id/stock-adjustments`,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'adjustStock',
      summary: 'Add or remove units of a product',
      description:
        'The available stock cannot fall below zero, and units that orders have reserved do not change. With If-Match, ' +
        'neither entry nor stock may have changed since they were read.',
      tag: TAG,
      params: idParams,
      idempotency: 'required',
      ifMatch: 'optional',
      body: schema.stockAdjustmentBody,
      responses: {
        201: {
          description: 'The product with the stock that the adjustment led to',
          data: productService,
          headers: ETAG,
          optionalHeaders: REPLAYED,
        },
      },
      errors: ['not_found', 'out_of_stock', 'invalid_transition', 'service_unavailable'],
      async handler(ctx, { params, body, idempotencyKey, principal }) {
        const origin = originOf(ctx, principal);
        const change = { productServiceId: params.id, body, origin, idempotencyKey };
        send(ctx, 201, await stock.adjust({ ...change, requireSame: sameStock(ctx.get('If-Match')) }));
      },
    }),
    route({
      method: 'put',
      path: `${PATH}/:id/stock`,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'countStock',
      summary: 'Set the available stock of a product to what was counted',
      description:
        'If-Match has to name the ETag of the product as it was when it was counted: an order that came meanwhile has ' +
        'changed the stock, and the response is 412. The difference is listed among the adjustments.',
      tag: TAG,
      params: idParams,
      idempotency: 'optional',
      ifMatch: 'required',
      body: schema.stockCountBody,
      responses: {
        200: {
          description: 'The product with the counted stock',
          data: productService,
          headers: ETAG,
          optionalHeaders: REPLAYED,
        },
      },
      errors: ['not_found', 'invalid_transition', 'service_unavailable'],
      async handler(ctx, { params, body, idempotencyKey, principal }) {
        const origin = originOf(ctx, principal);
        const change = { productServiceId: params.id, body, origin, idempotencyKey };
        send(ctx, 200, await stock.count({ ...change, requireSame: sameStock(ctx.get('If-Match')) }));
      },
    }),
  ];
}

function send(ctx: Context, status: number, { product, isReplay }: AdjustedProduct): void {
  if (isReplay) ctx.set('Idempotent-Replayed', 'true');
  sendEntry(ctx, status, product);
}
