import { parseArgs } from 'node:util';
import type { OrdersAuditRequest } from '../domain/orders-audit';

const USAGE =
  'Usage: npm run audit:orders [-- --repair --at-rest --json]. Without --repair nothing is changed.';

export interface AuditOrdersOptions {
  request: Required<OrdersAuditRequest>;
  /** Whether findings are printed as lines of JSON. */
  asJson: boolean;
}

/** @throws {Error} with the usage */
export function parseOptions(args: string[]): AuditOrdersOptions {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { repair: flag, 'at-rest': flag, json: flag };
    const { repair, 'at-rest': atRest, json } = parseArgs({ args, options }).values;
    return { request: { repair, payments: true, histories: true, atRest }, asJson: json };
  } catch (error) {
    throw new Error(`${(error as Error).message} ${USAGE}`, { cause: error });
  }
}
