import { status as grpc } from '@grpc/grpc-js';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { createOperator } from './operator';

/** What the hand of an operator has done to a workflow. */
export interface Done {
  /** For the report. */
  what: string;
  /** What must not have happened: a message that no API sends was accepted. */
  accepted?: string[];
  /** Why it could not be done though nothing was in its way, or what a running workflow did not answer. */
  failed?: string;
}

/** What keeps a hand from doing anything. */
const NOT_POSSIBLE = 'not possible';
const NO_ACTIVITY = 'there was no activity';
const ENDED = 'ended';

/** Whether it came to anything. */
export function isMade({ what, failed }: Done): boolean {
  return failed === undefined && ![NOT_POSSIBLE, NO_ACTIVITY, ENDED].includes(what);
}

/** Does something to a workflow of an order, whatever that is at. */
export type Hand = (workflowId: string) => Promise<Done>;

/** How long a message waits for its answer: an update does so until a worker takes it. */
const ANSWER_MS = 20_000;
/** How long an operator looks for an activity, which are there for moments only. */
const SEARCH_MS = 1_000;
const LOOK_MS = 20;
const PAUSED_MS = 1_500;

/** The updates of orders. None takes an argument like these. */
const UPDATES = [
  'place',
  'amend',
  'cancel',
  'fulfill',
  'deliver',
  'undoFulfillment',
  'correctFulfillment',
  'refund',
  'pay',
  'checkPayment',
  'archive',
  'retryCompensation',
  'resolveCompensation',
];
const STRANGE: readonly unknown[] = [
  null,
  'nonsense',
  17,
  [],
  {},
  { id: 'cmd_1' },
  { id: 1, by: null, items: 'all' },
];

/** What people with access to Temporal can do to the workflow of an order, by how the report calls it. */
export function handsOn(client: Client): Readonly<Record<string, Hand>> {
  const operator = createOperator({ client });
  const withActivity =
    (act: (workflowId: string, activityId: string) => Promise<void>): Hand =>
    async (workflowId) => {
      const activityId = await activityOf(client, workflowId);
      if (activityId === undefined) return { what: NO_ACTIVITY };
      return done(() => act(workflowId, activityId));
    };
  const simply =
    (act: (workflowId: string) => Promise<unknown>): Hand =>
    (workflowId) =>
      done(() => act(workflowId));
  return {
    'cancels its workflow': simply((workflowId) => client.workflow.getHandle(workflowId).cancel()),
    'terminates its workflow': simply(operator.terminate),
    'deletes its workflow': simply(operator.delete),
    'resets its workflow to the first task': simply((workflowId) => operator.reset(workflowId, 'first')),
    'resets its workflow to the last task': simply((workflowId) => operator.reset(workflowId, 'last')),
    'pauses an activity': withActivity((...activity) => pause(client, ...activity)),
    'fails an activity': withActivity(operator.failActivity),
    'completes an activity': withActivity(operator.completeActivity),
    'sends it updates that no API sends': (workflowId) => sendUpdates(client, workflowId),
    'sends it signals': simply((workflowId) => sendSignals(client, workflowId)),
    'asks it what it does not answer': (workflowId) => askQueries(client, workflowId),
  };
}

/** What can be done depends on what the workflow is at: it may have ended, or not begun. */
async function done(act: () => Promise<unknown>): Promise<Done> {
  try {
    await act();
    return { what: 'done' };
  } catch (error) {
    if (isRefused(error)) return { what: NOT_POSSIBLE };
    const failed = `failed with ${String(error)}`;
    return { what: failed, failed };
  }
}

/** Whether Temporal had nothing, or not any more, to do it to. */
function isRefused(error: unknown): boolean {
  const cause = (error as Error).cause ?? error;
  const code = isGrpcServiceError(cause) ? cause.code : undefined;
  const name = (error as Error).name;
  return (
    name === 'WorkflowNotFoundError' ||
    code === grpc.NOT_FOUND ||
    code === grpc.INVALID_ARGUMENT ||
    code === grpc.FAILED_PRECONDITION
  );
}

/** Returns the id of an activity that is under way, as soon as there is one. */
async function activityOf(client: Client, workflowId: string): Promise<string | undefined> {
  const end = Date.now() + SEARCH_MS;
  do {
    const described = await client.workflow
      .getHandle(workflowId)
      .describe()
      .catch(() => undefined);
    const [activity] = described?.raw.pendingActivities ?? [];
    if (activity?.activityId) return activity.activityId;
    await delay(LOOK_MS);
  } while (Date.now() < end);
  return undefined;
}

/** An attempt that runs is not interrupted: the next one waits. */
async function pause(client: Client, workflowId: string, id: string): Promise<void> {
  const activity = { namespace: client.options.namespace, execution: { workflowId }, id };
  await client.workflowService.pauseActivity(activity);
  await delay(PAUSED_MS);
  await client.workflowService.unpauseActivity(activity); // refused if that attempt was the last
}

/** Sends updates that do not exist, and those that do with what none of them takes. */
async function sendUpdates(client: Client, workflowId: string): Promise<Done> {
  const handle = client.workflow.getHandle(workflowId);
  const accepted: string[] = [];
  for (const [name, argument] of [
    ['nonsense', {}] as const,
    ...UPDATES.flatMap((update) => STRANGE.map((strange) => [update, strange] as const)),
  ]) {
    const outcome = await outcomeOf(client, () => handle.executeUpdate(name, { args: [argument] }));
    if (outcome === ENDED) return { what: ENDED, accepted };
    if (outcome === 'no answer') return { ...(await unanswered(client, workflowId, name)), accepted };
    if (outcome === 'accepted') accepted.push(`${name} of ${JSON.stringify(argument)}`);
  }
  return { what: `${accepted.length} accepted`, accepted };
}

async function sendSignals(client: Client, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  await handle.signal('nonsense');
  for (const name of UPDATES) await handle.signal(name, null);
}

async function askQueries(client: Client, workflowId: string): Promise<Done> {
  const handle = client.workflow.getHandle(workflowId);
  const outcome = await outcomeOf(client, () => handle.query('nonsense', {}));
  if (outcome === 'no answer') return unanswered(client, workflowId, 'the query nonsense');
  return { what: outcome, accepted: outcome === 'accepted' ? ['the query nonsense'] : [] };
}

/** One that has ended meanwhile answers nothing. */
async function unanswered({ workflow }: Client, workflowId: string, message: string): Promise<Done> {
  const described = await workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => undefined);
  const what = `no answer to ${message}`;
  return described?.status.name === 'RUNNING' ? { what, failed: what } : { what: ENDED };
}

async function outcomeOf(
  client: Client,
  ask: () => Promise<unknown>,
): Promise<'accepted' | 'turned down' | typeof ENDED | 'no answer'> {
  try {
    await client.withDeadline(Date.now() + ANSWER_MS, ask);
    return 'accepted';
  } catch (error) {
    const { name, cause } = error as Error;
    if (name === 'WorkflowUpdateRPCTimeoutOrCancelledError') return 'no answer';
    if (name === 'WorkflowNotFoundError') return ENDED;
    const code = isGrpcServiceError(cause ?? error) ? ((cause ?? error) as { code: number }).code : undefined;
    if (code === grpc.NOT_FOUND) return ENDED;
    if (code === grpc.DEADLINE_EXCEEDED || code === grpc.CANCELLED) return 'no answer';
    return 'turned down';
  }
}
