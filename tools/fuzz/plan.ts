import { DEMO_ADMIN, DEMO_CUSTOMER } from '../../src/users/demo-users';
import { ENDS_SESSIONS } from './exceptions';
import { knownValues, operationsOf, type Document, type Operation } from './known-values';
import type { FuzzOptions, FuzzRole } from './options';
import type { FuzzRun } from './run-schemathesis';
import { call, login, placeOrders, sacrificialUser, userIds, type Shop } from './shop';

const STATEFUL = 'stateful';
const DEMO_USERS: Readonly<Record<FuzzRole, string | undefined>> = {
  PUBLIC: undefined,
  CUSTOMER: DEMO_CUSTOMER,
  ADMIN: DEMO_ADMIN,
};

/**
 * Plans a run per role over everything, and runs as users that nothing else needs for what may end the
 * session.
 */
export async function planRuns(shop: Shop, options: FuzzOptions): Promise<FuzzRun[]> {
  const response = await fetch(`${shop.baseUrl}/api/openapi.json`);
  const operations = operationsOf((await response.json()) as Document);
  const alice = await login(shop, DEMO_CUSTOMER);
  await placeOrders(shop, alice, await login(shop, DEMO_ADMIN));

  const isWanted = ({ operationId }: Operation): boolean =>
    options.operations.length === 0 || options.operations.includes(operationId);
  const endsSessions = (one: Operation): boolean =>
    ENDS_SESSIONS.some(({ operation }) => operation === one.name);
  const demoUsers = await userIds(shop, [DEMO_CUSTOMER, DEMO_ADMIN]);
  const runs: FuzzRun[] = [];
  const add = async (
    title: string,
    token: string | undefined,
    part: Operation[],
    users: string[],
  ): Promise<void> => {
    if (part.length === 0) return;
    const operationIds = part.map(({ operationId }) => operationId);
    const single = options.phases.filter((phase) => phase !== STATEFUL);
    if (single.length > 0) {
      const known = await knownValues(shop, token, operations, users);
      runs.push({ title, token, operationIds, phases: single.join(), known });
    }
    // Here the ids come from responses of other operations, so a few operations alone have none; known values
    // would end it early.
    const isWhole = options.operations.length === 0 && (token === undefined || !part.some(endsSessions));
    if (options.phases.includes(STATEFUL) && isWhole) {
      runs.push({ title: `${title} stateful`, token, operationIds, phases: STATEFUL, known: new Map() });
    }
  };
  for (const role of options.roles) {
    const email = DEMO_USERS[role];
    const wanted = operations.filter(isWanted);
    if (email === undefined) {
      await add(role, undefined, wanted, demoUsers);
      continue;
    }
    await add(
      role,
      await login(shop, email),
      wanted.filter((one) => !endsSessions(one)),
      demoUsers,
    );
    // Each on its own: one returns its caller's id, which the other would then be tried on.
    for (const risky of wanted.filter(endsSessions)) {
      const actor = await sacrificialUser(shop, role);
      const victim = await sacrificialUser(shop, 'CUSTOMER');
      await add(
        `${role} sacrificed ${risky.operationId}`,
        await login(shop, actor.email, actor.password),
        [risky],
        [victim.id],
      );
    }
  }
  return runs;
}

/** Returns whether the token is still valid: a run with a rejected token has tested nothing else. */
export async function sessionIsGood(shop: Shop, token: string | undefined): Promise<boolean> {
  if (token === undefined) return true;
  return (await call(shop, token, 'GET', '/orders?limit=1')).status === 200;
}
