import { idCursor, pageOf } from '../common/pagination';
import { sendPage } from '../http/respond';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import { presentAuditEntry } from './audit.presenter';
import type { AuditRepository } from './audit.repository';
import { auditEntry, listAuditQuery } from './audit.schema';

const cursors = idCursor('aud');

/** For users only: a program that may read what the staff has done would read the data of all customers. */
export function auditRoutes(audit: Pick<AuditRepository, 'list'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit',
      role: Role.ADMIN,
      operationId: 'listAudit',
      summary: 'List what was changed by whom, newest first',
      description:
        'Every change that an ADMIN, an API key or a command of the operator made of users, API keys, the catalogue, stock ' +
        "and orders, customers' amendments of orders, and each export of a user's data by an ADMIN. What was turned down is " +
        'not among them.',
      tag: 'Audit',
      query: listAuditQuery,
      responses: { 200: { description: 'A page of entries', data: auditEntry, list: true } },
      errors: [],
      async handler(ctx, { query: { limit, cursor, ...filter } }) {
        const page = pageOf(
          await audit.list(filter, { limit: limit + 1, after: cursors.read(cursor) }),
          limit,
        );
        const entries = page.entries.map(presentAuditEntry);
        ctx.set('Cache-Control', 'no-store');
        sendPage(ctx, entries, { limit, nextCursor: cursors.after({ ...page, entries }) });
      },
    }),
  ];
}
