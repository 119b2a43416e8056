import { resetCommand, shellWord } from '../../project';
import { DEMO_ADMIN, DEMO_CUSTOMER, DEMO_PASSWORD } from '../../../src/users/demo-users';
import type { Demo, Running } from './demo-order';
import type { TemporalAccess } from './workflow-steps';

/** Returns what to open and to type next. */
export function nextSteps({ order, product }: Demo, { baseUrl, logFolder, temporal }: Running): string {
  return [
    '',
    'Open',
    `  ${baseUrl}/api   the API, to try out (sign in as ${DEMO_CUSTOMER} or ${DEMO_ADMIN}, password ${DEMO_PASSWORD})`,
    ...(order?.temporalUrl ? [`  ${order.temporalUrl}   this order in the Temporal UI`] : []),
    '',
    ...(temporal.executable
      ? ['Ask Temporal', '', temporalCommand(temporal.executable, temporal, order?.workflowId), '']
      : []),
    ...(product ? ['Place another order', '', curl(baseUrl, product.id), ''] : []),
    `Logs are in ${logFolder}. Ctrl-C stops everything and keeps the data (\`${resetCommand()}\` removes them).`,
  ].join('\n');
}

/** Names the executable by its path, because it need not be on PATH. */
function temporalCommand(
  executable: string,
  { address, namespace }: TemporalAccess,
  workflowId: string | undefined,
): string {
  const what = workflowId === undefined ? 'list' : `show --workflow-id ${workflowId}`;
  return `${shellWord(executable)} workflow ${what} --address ${address} --namespace ${shellWord(namespace)}`;
}

/** Returns one command to copy, which signs in, takes the token from the response, and places an order. */
function curl(baseUrl: string, productServiceId: string): string {
  const credentials = JSON.stringify({
    email: DEMO_CUSTOMER,
    password: DEMO_PASSWORD,
  });
  const json = "-H 'Content-Type: application/json'";
  const token = `$(curl -sS ${baseUrl}/auth/login ${json} -d '${credentials}' | sed -E 's/.*"accessToken":"([^"]+)".*/\\1/')`;
  return [
    `curl -sS -w '\\n' ${baseUrl}/orders ${json} \\`,
    `  -H "Authorization: Bearer ${token}" \\`,
    `  -H "Idempotency-Key: order-$(date +%s)-$RANDOM" \\`,
    `  -d '${JSON.stringify({ items: [{ productServiceId, quantity: 1 }], paymentMethod: 'pm_card_visa' })}'`,
  ].join('\n');
}
