import { DEMO_ADMIN, DEMO_CUSTOMER, DEMO_PASSWORD } from './api-client';
import type { Demo } from './demo-order';

/** What to open and what to type now. */
export function nextSteps(baseUrl: string, demo: Demo, logFolder: string): string {
  const { order, product } = demo;
  return [
    '',
    'Open',
    `  ${baseUrl}/api   the API, to try out (sign in as ${DEMO_CUSTOMER} or ${DEMO_ADMIN}, password ${DEMO_PASSWORD})`,
    ...(order?.temporalUrl ? [`  ${order.temporalUrl}   this very order in the Temporal UI`] : []),
    '',
    ...(product ? ['Place another order', '', curl(baseUrl, product.id), ''] : []),
    `Logs are in ${logFolder}. Ctrl-C stops everything; the data stay (\`npm run reset\` removes them).`,
  ].join('\n');
}

/** One command to copy: it signs in, takes the token out of the answer, and places an order. */
function curl(baseUrl: string, productServiceId: string): string {
  const credentials = JSON.stringify({
    email: DEMO_CUSTOMER,
    password: DEMO_PASSWORD,
  });
  const json = "-H 'Content-Type: application/json'";
  const token = `$(curl -sS ${baseUrl}/auth/login ${json} -d '${credentials}' | sed -E 's/.*"accessToken":"([^"]+)".*/\\1/')`;
  return [
    `curl -sS ${baseUrl}/orders ${json} \\`,
    `  -H "Authorization: Bearer ${token}" \\`,
    `  -H "Idempotency-Key: order-$(date +%s)" \\`,
    `  -d '${JSON.stringify({ items: [{ productServiceId, quantity: 1 }] })}'`,
  ].join('\n');
}
