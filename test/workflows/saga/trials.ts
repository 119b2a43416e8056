import type { RejectionCode } from '../../../src/domain/rejection';
import type { TemporalClient } from '../../../src/temporal/client';
import type { Baseline, Place, Stage } from './baseline';
import { BUSINESS_ERRORS, meanwhile, PASSING_FAULTS, failingForGood } from './faults';
import type { Gist, Rest } from './saga';
import type { StepName } from './fault-injector';
import type { Expected, Trial } from './trial';

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
      expected: name === 'voidPayment' ? retriedUntilDone(place.baseline) : rejected(place, error.name),
    },
  ];
}

/** The codes of rejections and of problems, by the type of the failure. */
const CODES: Record<string, RejectionCode | 'invalid_transition'> = {
  UnknownProduct: 'unknown_product',
  OutOfStock: 'out_of_stock',
  PaymentDeclined: 'payment_declined',
  PaymentRefused: 'invalid_transition',
};

/** The writes with which a failed amendment keeps out late steps, and voids its payment. */
const WRITES_OF_REFUSALS: Record<string, number> = { 'authorizePayment#2': 1, amendOrder: 2 };

function rejected({ baseline, move, step }: Place, error: string): Expected {
  const code = CODES[error]!;
  if (move > 0) {
    const { outcomes } = asBaseline(baseline);
    const { rest } = baseline.stages[move - 1]!;
    const afterwards = rest.workflow === 'COMPLETED' ? 'COMPLETED' : rest.afterwards;
    const version = rest.order.version! + (WRITES_OF_REFUSALS[step] ?? 0);
    return {
      outcomes: [...outcomes.slice(0, move), code],
      rest: { ...rest, order: { ...rest.order, version }, afterwards },
    };
  }
  const wasOpened = step === 'authorizePayment';
  const order: Partial<Gist> = {
    status: 'rejected',
    rejection: code as RejectionCode,
    fulfillmentStatus: 'cancelled',
    owed: [],
    paymentStatus: wasOpened ? 'declined' : 'pending',
    reservation: wasOpened ? 'released' : 'none',
    version: wasOpened ? 2 : 1,
  };
  return { outcomes: ['rejected'], rest: { order, workflow: 'COMPLETED', afterwards: 'never begun' } };
}

/** The compensation succeeds in the end, after the order has recorded it as pending. */
function retriedUntilDone(baseline: Baseline): Expected {
  const { outcomes, rest } = asBaseline(baseline);
  return { outcomes, rest: { ...rest, order: { ...rest.order, version: rest.order.version! + 1 } } };
}

/**
 * A customer who cancels. A command cannot come between the steps of one move: it waits for the move to end.
 */
export function cancelTrials(place: Place): Trial[] {
  const { baseline, move, position } = place;
  const during: Trial = {
    place,
    what: 'is running when the customer cancels',
    cancel: 'during',
    expected: cancelledDuring(baseline, move),
  };
  const before: Trial = {
    place,
    what: 'has not started when the customer cancels',
    cancel: 'before',
    expected: cancelledBefore(baseline, move),
  };
  return position === 0 ? [before, during] : [during];
}

function cancelledDuring(baseline: Baseline, move: number): Expected {
  const { outcomes } = asBaseline(baseline);
  const { rest } = baseline.stages[move]!;
  if (!isCancellable(rest)) return { ...asBaseline(baseline), cancel: REJECTED };
  const last = move === 0 ? outcomes[0]! : DONE_OR_CANCELLED;
  return {
    outcomes: [...outcomes.slice(0, move), last],
    cancel: 'cancelled',
    rest: cancelled(rest, 'usr_ (Changed my mind)'),
  };
}

function cancelledBefore(baseline: Baseline, move: number): Expected {
  const { outcomes } = asBaseline(baseline);
  // Cancelling an order before its POST arrives starts the workflow, which places it first.
  const { rest } = baseline.stages[Math.max(0, move - 1)]!;
  if (!isCancellable(rest)) {
    return { ...asBaseline(baseline), cancel: REJECTED };
  }
  return {
    outcomes: [...outcomes.slice(0, move), move === 0 ? 'cancelled' : REJECTED],
    cancel: 'cancelled',
    rest: cancelled(rest, 'usr_ (Changed my mind)'),
  };
}

function isCancellable({ order }: Rest): boolean {
  return order.status === 'confirmed' && order.fulfillmentStatus === 'unfulfilled';
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
  if (move === 0) return cancelledWhilePlaced(place);
  const { outcomes, rest: last } = asBaseline(baseline);
  const { rest } = baseline.stages[move]!;
  if (isCancellable(rest)) {
    return {
      outcomes: [...outcomes.slice(0, move), DONE_CANCELLED_OR_OUTDATED],
      rest: { ...cancelled(rest, 'syst (The workflow was cancelled.)'), workflow: 'CANCELLED' },
    };
  }
  const replies = outcomes.with(move, orUnavailable(baseline.stages[move]!));
  if (baseline.stages[move - 1]!.rest.workflow === 'COMPLETED') {
    return {
      outcomes: replies,
      rest: { ...last, afterwards: expect.stringMatching(/^(COMPLETED|CANCELLED)$/) },
    };
  }
  // The next command restarts the workflow of an open order.
  const isRestarted = rest.workflow === 'RUNNING' && move < outcomes.length - 1;
  return { outcomes: replies, rest: { ...last, workflow: isRestarted ? last.workflow : 'CANCELLED' } };
}

/**
 * Accepts service_unavailable as well. A workflow that ends and is cancelled at the same moment runs again
 * from the last state that Temporal knows, which may not include the command. The command succeeds when it is
 * repeated.
 */
function orUnavailable({ outcome, rest: { workflow } }: Stage): string | RegExp {
  return workflow === 'COMPLETED' ? new RegExp(`^(${outcome}|service_unavailable)$`) : outcome;
}

/**
 * The current step is finished, and then undone with the earlier ones. The workflow learns of the
 * cancellation with its next task, and consecutive steps on our own database are part of one task.
 */
function cancelledWhilePlaced(place: Place): Expected {
  const { scenario, stages } = place.baseline;
  const { outcome, rest } = stages[0]!;
  const isPaid = outcome === 'confirmed';
  switch (nameOf(place)) {
    case 'priceOrder':
    case 'openOrder':
      return undone(isPaid ? /^cancelled$/ : /^(cancelled|rejected)$/, /^(voided|declined)$/);
    case 'authorizePayment':
      if (scenario.authorizing === 'no response') return undone(/^cancelled$/, /^declined$/);
      if (isPaid) return undone(/^cancelled$/, /^voided$/);
      break;
    case 'findAuthorization':
      if (isPaid) return undone(/^cancelled$/, /^voided$/);
      break;
    case 'confirmOrder':
      return { ...undone(/^cancelled$/, /^voided$/), outcomes: [DONE_OR_CANCELLED] };
    default:
  }
  return { outcomes: [orUnavailable(stages[0]!)], rest: { ...rest, workflow: 'CANCELLED' } };
}

function undone(status: RegExp, paymentStatus: RegExp): Expected {
  const order: Partial<Gist> = {
    status: expect.stringMatching(status),
    paymentStatus: expect.stringMatching(paymentStatus),
    fulfillmentStatus: 'cancelled',
    reservation: 'released',
    owed: [],
  };
  return { outcomes: [status], rest: { order, workflow: 'CANCELLED', afterwards: 'never begun' } };
}

function nameOf({ step }: Place): StepName {
  return step.replace(/#\d+$/, '') as StepName;
}
