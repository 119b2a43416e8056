import { parseArgs } from 'node:util';
import type { OrdersAuditRequest } from '../domain/orders-audit';

const USAGE = 'Usage: npm run audit:orders [-- --repair --json]. Without --repair nothing is changed.';

export interface AuditOrdersOptions {
  request: Required<OrdersAuditRequest>;
  /** Whether findings are printed as lines of JSON. */
  asJson: boolean;
}

/** @throws {Error} with the usage */
export function parseOptions(args: string[]): AuditOrdersOptions {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { repair, json } = parseArgs({ args, options: { repair: flag, json: flag } }).values;
    return { request: { repair, payments: true }, asJson: json };
  } catch (error) {
    throw new Error(`${(error as Error).message} ${USAGE}`, { cause: error });
  }
}
