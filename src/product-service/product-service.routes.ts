import { etagOf, requireVersion } from '../common/etag';
import { idCursor } from '../common/pagination';
import { sendData, sendPage } from '../http/respond';
import type { Context } from '../http/context';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import { presentProductService } from './product-service.presenter';
import type { ProductService } from './product-service.repository';
import * as schema from './product-service.schema';
import type { CatalogueService } from './product-service.service';

const TAG = 'Catalogue';
const PATH = '/product-services';
const ETAG = { ETag: 'The version, for If-Match; it does not change with the stock' };
const cursors = idCursor('ps');

export function productServiceRoutes(catalogue: CatalogueService): Route[] {
  return [...publicRoutes(catalogue), ...editRoutes(catalogue), stockAdjustmentRoute(catalogue)];
}

function publicRoutes(catalogue: CatalogueService): Route[] {
  return [
    route({
      method: 'get',
      path: PATH,
      role: Role.PUBLIC,
      operationId: 'listProductServices',
      summary: 'List the catalogue, newest first',
      tag: TAG,
      query: schema.listQuery,
      responses: {
        200: { description: 'Active entries', data: schema.productService, list: true },
      },
      errors: [],
      async handler(ctx, { query: { cursor, ...query } }) {
        const page = await catalogue.list({ ...query, after: cursors.read(cursor) });
        sendPage(ctx, page.entries.map(presentProductService), {
          limit: query.limit,
          nextCursor: cursors.after(page),
        });
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/:id`,
      role: Role.PUBLIC,
      operationId: 'getProductService',
      summary: 'Read one product or service',
      tag: TAG,
      params: schema.idParams,
      responses: {
        200: { description: 'The entry', data: schema.productService, headers: ETAG },
      },
      errors: ['not_found'],
      handler: async (ctx, { params }) => sendEntry(ctx, 200, await catalogue.get(params.id)),
    }),
  ];
}

function editRoutes(catalogue: CatalogueService): Route[] {
  return [
    route({
      method: 'post',
      path: PATH,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'createProductService',
      summary: 'Add a product or service',
      tag: TAG,
      body: schema.createBody,
      responses: {
        201: {
          description: 'The new entry',
          data: schema.productService,
          headers: { ...ETAG, Location: 'The path of the entry' },
        },
      },
      errors: ['already_exists'],
      async handler(ctx, { body }) {
        const entry = await catalogue.create(body);
        ctx.set('Location', `${ctx.path.replace(/\/+$/, '')}/${entry.id}`);
        sendEntry(ctx, 201, entry);
      },
    }),
    route({
      method: 'patch',
      path: `${PATH}/:id`,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'changeProductService',
      summary: 'Change a product or service',
      description: 'Existing orders keep what they bought. Kind and stock cannot be changed here.',
      tag: TAG,
      params: schema.idParams,
      ifMatch: 'required',
      body: schema.changeBody,
      responses: {
        200: { description: 'The changed entry', data: schema.productService, headers: ETAG },
      },
      errors: ['not_found', 'already_exists'],
      async handler(ctx, { params, ifMatch, body }) {
        const checkVersion = (version: number) => requireVersion(ifMatch, version);
        sendEntry(ctx, 200, await catalogue.change(params.id, checkVersion, body));
      },
    }),
    route({
      method: 'delete',
      path: `${PATH}/:id`,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'retireProductService',
      summary: 'Retire a product or service permanently',
      description:
        'It can no longer be read or ordered, and its sku may be used again. Existing orders keep what they bought.',
      tag: TAG,
      params: schema.idParams,
      ifMatch: 'optional',
      responses: { 204: { description: 'The entry is retired' } },
      errors: ['not_found'],
      async handler(ctx, { params, ifMatch }) {
        await catalogue.retire(params.id, (version) => requireVersion(ifMatch, version));
        ctx.status = 204;
      },
    }),
  ];
}

function stockAdjustmentRoute(catalogue: CatalogueService): Route {
  return route({
    method: 'post',
    path: `${PATH}/:id/stock-adjustments`,
    role: Role.ADMIN,
    scope: 'catalogue:write',
    operationId: 'adjustStock',
    summary: 'Add or remove units of a product',
    description:
      'The available stock cannot fall below zero, and units that orders have reserved do not change.',
    tag: TAG,
    params: schema.idParams,
    body: schema.stockAdjustmentBody,
    responses: {
      201: { description: 'The product with its new stock', data: schema.productService, headers: ETAG },
    },
    errors: ['not_found', 'out_of_stock', 'invalid_transition'],
    handler: async (ctx, { params, body, principal }) =>
      sendEntry(ctx, 201, await catalogue.adjustStock(params.id, { ...body, by: principal.id })),
  });
}

function sendEntry(ctx: Context, status: number, entry: ProductService): void {
  ctx.set('ETag', etagOf(entry.version));
  sendData(ctx, status, presentProductService(entry));
}
