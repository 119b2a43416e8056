import { idCursor } from '../common/pagination';
import type { AppError } from '../errors/app-error';
import { sendData, sendPage } from '../http/respond';
import type { Context } from '../http/context';
import { originOf } from '../http/origin';
import { route, type Route } from '../http/route';
import { invalid } from '../errors/invalid';
import type { Principal } from '../role/principal';
import { Role } from '../role/role';
import { entryTag, sameVersion } from './entry-tag';
import { presentProductService } from './product-service.presenter';
import * as schema from './product-service.schema';
import type { CatalogueService, ProductService } from './product-service.service';

export const TAG = 'Catalogue';
export const PATH = '/product-services';
export const ETAG = {
  ETag: 'The version and the revision of the stock, for If-Match: changes of the entry compare the version only',
};
const cursors = idCursor('ps');

export function productServiceRoutes(catalogue: CatalogueService): Route[] {
  return [...publicRoutes(catalogue), ...editRoutes(catalogue), ...retiringRoutes(catalogue)];
}

function publicRoutes(catalogue: CatalogueService): Route[] {
  return [
    route({
      method: 'get',
      path: PATH,
      role: Role.PUBLIC,
      operationId: 'listProductServices',
      summary: 'List the catalogue, newest first',
      description:
        'Retired entries are for ADMINs, and for API keys with the scope `catalogue:write`. A page of a search for very ' +
        'common words may be short, or empty, and yet have a next one.',
      tag: TAG,
      query: schema.listQuery,
      responses: {
        200: { description: 'Entries', data: schema.productService, list: true },
      },
      errors: [],
      async handler(ctx, { query: { cursor, ...query }, principal }) {
        if (!query.isActive && !readsRetired(principal)) throw adminsOnly('isActive');
        cacheButAsk(ctx);
        const page = await catalogue.list({ ...query, after: cursors.read(cursor) });
        sendPage(ctx, page.entries.map(presentProductService), {
          limit: query.limit,
          nextCursor: cursors.after({ ...page, entries: [{ id: page.last! }] }),
        });
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/:id`,
      role: Role.PUBLIC,
      operationId: 'getProductService',
      summary: 'Read one product or service',
      description: 'A retired one is for ADMINs, and for API keys with the scope `catalogue:write`.',
      tag: TAG,
      params: schema.idParams,
      responses: {
        200: { description: 'The entry', data: schema.productService, headers: ETAG },
      },
      errors: ['not_found'],
      async handler(ctx, { params, principal }) {
        cacheButAsk(ctx);
        sendEntry(ctx, 200, await catalogue.get(params.id, { readsRetired: readsRetired(principal) }));
      },
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
      async handler(ctx, { body, principal }) {
        const entry = await catalogue.create(body, originOf(ctx, principal));
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
      description:
        'Existing orders keep what they bought. Kind and currency cannot be changed, and stock has routes of its own.',
      tag: TAG,
      params: schema.idParams,
      ifMatch: 'required',
      body: schema.changeBody,
      responses: {
        200: { description: 'The changed entry', data: schema.productService, headers: ETAG },
      },
      errors: ['not_found', 'already_exists'],
      async handler(ctx, { params, body, principal }) {
        const condition = sameVersion(ctx.get('If-Match'));
        const entry = await catalogue.change(params.id, condition, body, originOf(ctx, principal));
        sendEntry(ctx, 200, entry);
      },
    }),
  ];
}

function retiringRoutes(catalogue: CatalogueService): Route[] {
  return [
    route({
      method: 'delete',
      path: `${PATH}/:id`,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'retireProductService',
      summary: 'Retire a product or service',
      description:
        'It can no longer be ordered and only ADMINs can read it, and its sku may be used again. Existing orders keep what ' +
        'they bought.',
      tag: TAG,
      params: schema.idParams,
      ifMatch: 'optional',
      responses: { 204: { description: 'The entry is retired' } },
      errors: ['not_found'],
      async handler(ctx, { params, principal }) {
        await catalogue.retire(params.id, sameVersion(ctx.get('If-Match')), originOf(ctx, principal));
        ctx.status = 204;
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/:id/restore`,
      role: Role.ADMIN,
      scope: 'catalogue:write',
      operationId: 'restoreProductService',
      summary: 'Sell a retired product or service again',
      description:
        'The response is 409 if another entry has its sku meanwhile. An active entry stays as it is.',
      tag: TAG,
      params: schema.idParams,
      ifMatch: 'optional',
      responses: {
        200: { description: 'The active entry', data: schema.productService, headers: ETAG },
      },
      errors: ['not_found', 'already_exists'],
      async handler(ctx, { params, principal }) {
        const condition = sameVersion(ctx.get('If-Match'));
        sendEntry(ctx, 200, await catalogue.restore(params.id, condition, originOf(ctx, principal)));
      },
    }),
  ];
}

/** Without it, caches would guess for how long prices and stock are valid. */
function cacheButAsk(ctx: Context): void {
  ctx.set('Cache-Control', 'no-cache');
}

/** Programs that maintain the catalogue read what ADMINs read. */
function readsRetired(principal: Principal | undefined): boolean {
  return principal?.role === Role.ADMIN && principal.scopes?.includes('catalogue:write') !== false;
}

function adminsOnly(path: string): AppError {
  return invalid([{ path, message: 'must be true, or left out: retired entries are for ADMINs only' }]);
}

export function sendEntry(ctx: Context, status: number, entry: ProductService): void {
  ctx.set('ETag', entryTag(entry));
  sendData(ctx, status, presentProductService(entry));
}
