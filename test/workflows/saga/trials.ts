import { Context } from '@temporalio/activity';
import type { RejectionCode } from '../../../src/domain/rejection';
import type { TemporalClient } from '../../../src/temporal/client';
import { newCommand } from '../../support/commands';
import { createOperator } from '../../../tools/chaos/operator';
import type { Baseline, Place, Stage } from './baseline';
import { BUSINESS_ERRORS, meanwhile, PASSING_FAULTS, failingForGood } from './faults';
import type { Gist, Rest } from './saga';
import type { Attempt, Fault, StepName } from './fault-injector';
import type { Expected, Trial } from './trial';

/** Who cancels an order, and why, as `gistOf` has it. */
const CUSTOMER = 'usr_ (Changed my mind)';
const TEMPORAL = 'syst (The workflow was cancelled.)';

/** How a workflow ends that is cancelled in Temporal at the moment at which it completes. */
const CANCELLED_OR_COMPLETED = /^(CANCELLED|COMPLETED)$/;
const REJECTED = /^(invalid_transition|ended)$/;
/** The outcome of a move that races with a cancellation. */
const DONE_OR_CANCELLED = /^(confirmed|cancelled)$/;
/** An amendment is sent again when its workflow has ended, and then names an earlier version than the cancelled one. */
const DONE_CANCELLED_OR_OUTDATED = /^(confirmed|cancelled|precondition_failed)$/;

/** Failures, time-outs and lost replies, which do not change the outcome. */
export function passingTrials(place: Place): Trial[] {
  return Object.entries(PASSING_FAULTS).map(([what, fault]) => ({
    place,
    what,
    fault,
    expected: asBaseline(place.baseline),
  }));
}

export function asBaseline({ stages }: Baseline): Expected {
  return { outcomes: stages.map(({ outcome }) => outcome), rest: stages.at(-1)!.rest };
}

/** Business errors of the steps that can have one. */
export function businessTrials(place: Place): Trial[] {
  const name = nameOf(place);
  const error = BUSINESS_ERRORS[name]?.();
  if (!error) return [];
  return [
    {
      place,
      what: `fails with ${error.name}`,
      fault: failingForGood(name),
      expected: COMPENSATIONS.has(name) ? asBaseline(place.baseline) : rejected(place, error.name),
    },
  ];
}

/** The steps that are retried until they are done. The order says that they are pending, which raises no version. */
const COMPENSATIONS: ReadonlySet<StepName> = new Set(['voidPayment', 'releasePayment', 'payBack']);

/** The codes of rejections and of problems, by the type of the failure. */
const CODES: Record<string, RejectionCode | 'invalid_transition'> = {
  PaymentDeclined: 'payment_declined',
  PaymentRefused: 'invalid_transition',
};

function rejected({ baseline, move }: Place, error: string): Expected {
  const code = CODES[error]!;
  if (move > 0) {
    const { outcomes } = asBaseline(baseline);
    const { rest: before } = baseline.stages[move - 1]!;
    // The order tells of each card that was tried.
    const isTold = baseline.scenario.moves[move]!.name === 'pay';
    const rest = isTold
      ? { ...before, order: { ...before.order, version: before.order.version! + 1 } }
      : before;
    const afterwards = rest.workflow === 'COMPLETED' ? 'COMPLETED' : rest.afterwards;
    return { outcomes: [...outcomes.slice(0, move), code], rest: { ...rest, afterwards } };
  }
  const order: Partial<Gist> = {
    status: 'rejected',
    rejection: code,
    fulfillmentStatus: 'cancelled',
    owed: [],
    paymentStatus: 'declined',
    reservation: 'released',
    version: 2,
  };
  return { outcomes: ['rejected'], rest: { order, workflow: 'COMPLETED', afterwards: 'never begun' } };
}

/**
 * A customer who cancels. A command cannot come between the steps of one move: it waits for the move to end. Only what
 * authorises a payment is interrupted.
 */
export function cancelTrials(place: Place): Trial[] {
  const { baseline, move, position } = place;
  const during: Trial = {
    place,
    what: 'is running when the customer cancels',
    cancel: 'during',
    expected: cancelledDuring(place),
  };
  const before: Trial = {
    place,
    what: 'has not started when the customer cancels',
    cancel: 'before',
    expected: cancelledBefore(baseline, move),
  };
  // What a move does after the rest of a begun order was given up differs from move to move.
  const isBegun =
    move > 0 && isOpen(baseline.stages[move - 1]!.rest) && !isUntouched(baseline.stages[move - 1]!.rest);
  return position === 0 && !isBegun ? [before, during] : [during];
}

function cancelledDuring(place: Place): Expected {
  const { baseline, move } = place;
  const { outcomes } = asBaseline(baseline);
  const { rest } = baseline.stages[move]!;
  if (move === 0) return cancelledWhilePlaced(baseline);
  if (isAwaitedAt(place)) return cancelledAwaited(place);
  if (!isOpen(rest)) return { ...asBaseline(baseline), cancel: REJECTED };
  if (!isUntouched(rest)) {
    return { outcomes: [...outcomes.slice(0, move), ENDING], cancel: ENDING, rest: withoutTheRest(rest) };
  }
  return {
    outcomes: [...outcomes.slice(0, move), DONE_OR_CANCELLED],
    cancel: 'cancelled',
    rest: cancelled(rest, CUSTOMER),
    interrupted: interruptedAmendment(place, CUSTOMER),
  };
}

/**
 * Returns how an order ends whose cancellation has interrupted an amendment before its payment was authorised: the order
 * keeps its earlier lines. Returns undefined if that cannot happen at this step.
 * @param by the user who cancelled it, and the reason
 */
function interruptedAmendment(place: Place, by: string): Expected | undefined {
  const { baseline, move } = place;
  if (!['amendOrder', 'authorizePayment'].includes(nameOf(place))) return undefined;
  const { outcomes } = asBaseline(baseline);
  const rest = cancelled(baseline.stages[move - 1]!.rest, by);
  return { outcomes: [...outcomes.slice(0, move), 'service_unavailable'], cancel: 'cancelled', rest };
}

/** Placing an order ends as soon as it can; one that is turned down meanwhile has nothing to cancel. */
function cancelledWhilePlaced({ stages }: Baseline): Expected {
  const isPaid = stages[0]!.outcome === 'confirmed';
  const status = isPaid ? /^cancelled$/ : /^(cancelled|rejected)$/;
  const order: Partial<Gist> = {
    status: expect.stringMatching(status),
    paymentStatus: expect.stringMatching(/^(voided|declined)$/),
    fulfillmentStatus: 'cancelled',
    reservation: 'released',
    captured: 0,
    owed: [],
  };
  return {
    outcomes: [/^(pending|confirmed|cancelled|rejected)$/],
    cancel: isPaid ? 'cancelled' : /^(cancelled|invalid_transition|ended)$/,
    rest: { order, workflow: 'COMPLETED', afterwards: 'never begun' },
  };
}

function cancelledBefore(baseline: Baseline, move: number): Expected {
  const { outcomes } = asBaseline(baseline);
  if (move === 0) return cancelledUnplaced();
  if (isAwaitedAt({ baseline, move })) return cancelledAwaited({ baseline, move });
  const { rest } = baseline.stages[move - 1]!;
  if (!isOpen(rest)) return { ...asBaseline(baseline), cancel: REJECTED };
  return {
    outcomes: [...outcomes.slice(0, move), REJECTED],
    cancel: 'cancelled',
    rest: cancelled(rest, CUSTOMER),
  };
}

/** Whether the order waits for its customer at some time during the move: its payment may then be in any state. */
function isAwaitedAt({ baseline: { scenario }, move }: Pick<Place, 'baseline' | 'move'>): boolean {
  const { name } = scenario.moves[move]!;
  return name === 'confirm' || name === 'lapse' || name === 'pay';
}

/** Whatever the customer has done by then, no payment stays reserved, and no stock. */
function cancelledAwaited({ baseline, move }: Pick<Place, 'baseline' | 'move'>): Expected {
  const { outcomes } = asBaseline(baseline);
  const order: Partial<Gist> = {
    status: 'cancelled',
    paymentStatus: expect.stringMatching(/^(voided|declined)$/) as Gist['paymentStatus'],
    fulfillmentStatus: 'cancelled',
    reservation: 'released',
    captured: 0,
    owed: [],
  };
  return {
    outcomes: [...outcomes.slice(0, move), ANY_END],
    cancel: 'cancelled',
    rest: { order, workflow: 'COMPLETED', afterwards: expect.stringMatching(NONE_OR_COMPLETED) as string },
  };
}

const ANY_END = /^(pending|confirmed|cancelled|invalid_transition|ended|service_unavailable)$/;
const NONE_OR_COMPLETED = /^(never begun|COMPLETED)$/;

/** An order that is cancelled before its POST arrives is never placed. */
function cancelledUnplaced(): Expected {
  const order: Partial<Gist> = {
    status: 'cancelled',
    paymentStatus: 'pending',
    fulfillmentStatus: 'cancelled',
    reservation: 'none',
    paid: null,
    owed: [],
  };
  return {
    outcomes: ['cancelled'],
    cancel: 'cancelled',
    rest: { order, workflow: 'COMPLETED', afterwards: 'never begun' },
  };
}

/** Whether something of the order can be cancelled. */
function isOpen({ order }: Rest): boolean {
  const isLeft = order.items!.some(({ ordered, fulfilled, cancelled }) => ordered > fulfilled + cancelled);
  return order.status === 'confirmed' && isLeft;
}

/** Whether the order can be cancelled as a whole, since nothing of it is fulfilled. */
function isCancellable({ order }: Rest): boolean {
  return order.status === 'confirmed' && order.fulfillmentStatus === 'unfulfilled';
}

/** Whether nothing of the order was ever captured either. */
function isUntouched(rest: Rest): boolean {
  return isCancellable(rest) && rest.order.captured === 0;
}

/** The statuses of an order whose rest is given up. */
const ENDING = /^(confirmed|completed|cancelled)$/;

/** An order of which nothing is open any more: it ends, or what is sent is still to be delivered. */
function withoutTheRest({ order, afterwards }: Rest): Rest {
  const isSent = order.items!.some(({ fulfilled }) => fulfilled > 0);
  const isDelivered = order.fulfillments!.every(({ isDelivered, isUndone }) => isDelivered || isUndone);
  const sent = isDelivered
    ? ({ status: 'completed', fulfillmentStatus: 'delivered' } as const)
    : ({ status: 'confirmed', fulfillmentStatus: 'fulfilled' } as const);
  const state = isSent ? sent : ({ status: 'cancelled', fulfillmentStatus: 'cancelled' } as const);
  return {
    order: {
      ...state,
      reservation: isSent ? 'committed' : 'released',
      items: order.items!.map((item) => ({ ...item, cancelled: item.ordered - item.fulfilled })),
      owed: [],
    },
    workflow: state.status === 'confirmed' ? 'RUNNING' : 'COMPLETED',
    afterwards,
  };
}

/** @param by the user who cancelled it, and the reason */
function cancelled({ order, afterwards }: Rest, by: string): Rest {
  return {
    order: {
      ...order,
      status: 'cancelled',
      fulfillmentStatus: 'cancelled',
      paymentStatus: 'voided',
      reservation: 'released',
      items: order.items!.map((item) => ({ ...item, cancelled: item.ordered })),
      version: order.version! + 2,
      history: [
        ...order.history!,
        `status: confirmed to cancelled by ${by}`,
        `fulfillmentStatus: unfulfilled to cancelled by ${by}`,
        'paymentStatus: authorized to voided by syst (null)',
      ],
    },
    workflow: 'COMPLETED',
    afterwards,
  };
}

/** An operator who cancels the workflow in Temporal, including that of a closed order. */
export function temporalTrials(place: Place, { client }: TemporalClient): Trial[] {
  const fault = meanwhile(async ({ workflowId }) => {
    await client.workflow.getHandle(workflowId).cancel();
  });
  const what = 'is running when the workflow is cancelled in Temporal';
  return [{ place, what, fault, expected: cancelledInTemporal(place) }];
}

function cancelledInTemporal(place: Place): Expected {
  const { baseline, move } = place;
  if (move === 0) {
    const { rest, outcomes } = cancelledWhilePlaced(baseline);
    return {
      outcomes,
      rest: { ...rest, workflow: expect.stringMatching(CANCELLED_OR_COMPLETED) as object },
    };
  }
  if (isAwaitedAt(place)) {
    const { outcomes, rest } = cancelledAwaited(place);
    return {
      outcomes,
      rest: { ...rest, workflow: expect.stringMatching(CANCELLED_OR_COMPLETED) as object },
    };
  }
  const { outcomes, rest: last } = asBaseline(baseline);
  const { rest } = baseline.stages[move]!;
  if (isCancellable(rest) && !isUntouched(rest)) {
    const given = withoutTheRest(rest);
    return {
      outcomes: [...outcomes.slice(0, move), DONE_CANCELLED_OR_OUTDATED],
      rest: { ...given, workflow: 'CANCELLED' },
    };
  }
  if (isCancellable(rest)) {
    const interrupted = interruptedAmendment(place, TEMPORAL);
    return {
      outcomes: [...outcomes.slice(0, move), DONE_CANCELLED_OR_OUTDATED],
      rest: { ...cancelled(rest, TEMPORAL), workflow: 'CANCELLED' },
      interrupted: interrupted && { ...interrupted, rest: { ...interrupted.rest, workflow: 'CANCELLED' } },
    };
  }
  const replies = outcomes.with(move, orUnavailable(baseline.stages[move]!));
  if (baseline.stages[move - 1]!.rest.workflow === 'COMPLETED') {
    return {
      outcomes: replies,
      rest: { ...last, afterwards: expect.stringMatching(CANCELLED_OR_COMPLETED) },
    };
  }
  // The next command restarts the workflow of an open order.
  const isRestarted = rest.workflow === 'RUNNING' && move < outcomes.length - 1;
  const ended =
    rest.workflow === 'COMPLETED' ? (expect.stringMatching(CANCELLED_OR_COMPLETED) as object) : 'CANCELLED';
  return { outcomes: replies, rest: { ...last, workflow: isRestarted ? last.workflow : ended } };
}

/**
 * Accepts service_unavailable as well. A workflow that ends and is cancelled at the same moment runs again
 * from the last state that Temporal knows, which may not include the command. The command succeeds when it is
 * repeated.
 */
function orUnavailable({ outcome, rest: { workflow } }: Stage): string | RegExp {
  return workflow === 'COMPLETED' ? new RegExp(`^(${outcome}|service_unavailable)$`) : outcome;
}

function nameOf({ step }: Place): StepName {
  return step.replace(/#\d+$/, '') as StepName;
}

/** An operator who fails an activity that has had its effect, or completes it with a result that it never has. */
export function operatorTrials(place: Place, temporal: TemporalClient): Trial[] {
  const operator = createOperator(temporal);
  const byHand =
    (act: (workflowId: string, activityId: string) => Promise<void>): Fault =>
    async ({ number, workflowId }, effect) => {
      const { isLocal, activityId } = Context.current().info;
      if (isLocal || number > 1) return effect();
      const result = await effect();
      await act(workflowId, activityId);
      return result;
    };
  const expected = judgedByHand(place);
  return [
    { place, what: 'is failed by an operator', fault: byHand(operator.failActivity), expected },
    { place, what: 'is completed by an operator', fault: byHand(operator.completeActivity), expected },
  ];
}

/** What an operator says is not believed: what is stored, and the payment service, are asked. */
function judgedByHand(place: Place): Expected {
  const { baseline } = place;
  switch (nameOf(place)) {
    case 'voidPayment':
    case 'releasePayment':
    case 'payBack':
      return asBaseline(baseline);
    case 'findAuthorization': // nobody else knows whether the payment is reserved, so it is voided
      return {
        outcomes: ['rejected'],
        rest: {
          order: {
            status: 'rejected',
            paymentStatus: expect.stringMatching(/^(voided|declined)$/) as Gist['paymentStatus'],
            reservation: 'released',
            owed: [],
          },
          workflow: 'COMPLETED',
          afterwards: 'never begun',
        },
      };
    default:
      return asBaseline(baseline);
  }
}

/** An operator who pauses an activity while it fails, and unpauses it later. */
export function pauseTrials(place: Place, temporal: TemporalClient): Trial[] {
  if (nameOf(place) === 'placeOrder') return []; // which is never a regular activity
  const operator = createOperator(temporal);
  let unpaused: Promise<void> | undefined;
  const fault: Fault = async ({ workflowId }, effect) => {
    const { isLocal, activityId } = Context.current().info;
    if (unpaused) return effect();
    if (!isLocal) {
      await operator.pauseActivity(workflowId, activityId);
      unpaused = operator.unpauseActivity(workflowId, activityId);
      unpaused.catch(() => undefined); // it is expected to be fulfilled when the order has ended
    }
    throw new Error('The network is down.');
  };
  const afterwards = async () => await unpaused;
  return [
    { place, what: 'is paused by an operator', fault, expected: asBaseline(place.baseline), afterwards },
  ];
}

/** Updates that no API sends. */
const STRANGE_UPDATES: readonly [name: string, argument: unknown][] = [
  ['amend', { ...newCommand(), ifMatch: null, items: 'x' }],
  ['fulfill', { ...newCommand(), fingerprint: 'f', attemptId: 'a', items: [{ quantity: -1 }] }],
  ['refund', { amount: 1, reason: 'No id' }],
  ['cancel', null],
  ['pay', { amount: 1 }],
];

/** Someone with access to Temporal who sends what no API sends. */
export function strangeMessageTrials(place: Place, { client }: TemporalClient): Trial[] {
  let answers: Promise<PromiseSettledResult<unknown>[]> | undefined;
  const send = async ({ workflowId }: Attempt): Promise<void> => {
    const handle = client.workflow.getHandle(workflowId);
    const updates = STRANGE_UPDATES.map(([name, argument]) =>
      handle.executeUpdate(name, { args: [argument] }),
    );
    answers = Promise.allSettled([...updates, handle.query('orders')]); // the answers come after this step
    await handle.signal('ship', { items: [] });
  };
  const afterwards = async () => {
    for (const answer of (await answers)!) expect(answer.status).toBe('rejected');
  };
  const what = 'is running when messages come that no API sends';
  return [{ place, what, fault: meanwhile(send), expected: asBaseline(place.baseline), afterwards }];
}
