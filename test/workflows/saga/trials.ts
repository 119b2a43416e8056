import type { RejectionCode } from '../../../src/domain/rejection';
import type { TemporalClient } from '../../../src/temporal/client';
import type { Chart, Place, Stage } from './chart';
import { BUSINESS_ERRORS, meanwhile, PASSING_FAULTS, sayingNo } from './faults';
import type { Gist, Rest } from './saga';
import type { StepName } from './saboteur';
import type { Expected, Trial } from './trial';

const REFUSED = /^(invalid_transition|ended)$/;
/** What a move is answered that is overtaken by a cancellation. */
const DONE_OR_CANCELLED = /^(confirmed|cancelled)$/;

/** Failures, time-outs and lost replies: what the order gets over. */
export function passingTrials(place: Place): Trial[] {
  return Object.entries(PASSING_FAULTS).map(([what, fault]) => ({
    place,
    what,
    fault,
    expected: asCharted(place.chart),
  }));
}

export function asCharted({ stages }: Chart): Expected {
  return { answers: stages.map(({ answer }) => answer), rest: stages.at(-1)!.rest };
}

/** Steps that say no for good, where they can. */
export function businessTrials(place: Place): Trial[] {
  const name = nameOf(place);
  const error = BUSINESS_ERRORS[name]?.();
  if (!error) return [];
  return [
    {
      place,
      what: `says ${error.name}`,
      fault: sayingNo(name),
      expected: name === 'voidPayment' ? insistedOn(place.chart) : refused(place, error.name),
    },
  ];
}

/** What an order cannot be placed for, or a command is refused with. */
const CODES: Record<string, RejectionCode | 'invalid_transition'> = {
  UnknownProduct: 'unknown_product',
  OutOfStock: 'out_of_stock',
  PaymentDeclined: 'payment_declined',
  PaymentRefused: 'invalid_transition',
};

/** An amendment that is withdrawn shuts the door behind it, and is given back what was reserved for it. */
const WRITES_OF_REFUSALS: Record<string, number> = { 'authorizePayment#2': 1, amendOrder: 2 };

function refused({ chart, move, step }: Place, error: string): Expected {
  const code = CODES[error]!;
  if (move > 0) {
    const { answers } = asCharted(chart);
    const { rest } = chart.stages[move - 1]!;
    const afterwards = rest.workflow === 'COMPLETED' ? 'COMPLETED' : rest.afterwards;
    const version = rest.order.version! + (WRITES_OF_REFUSALS[step] ?? 0);
    return {
      answers: [...answers.slice(0, move), code],
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
  return { answers: ['rejected'], rest: { order, workflow: 'COMPLETED', afterwards: 'never begun' } };
}

/** A compensation is done all the same; the order has said meanwhile that it is pending. */
function insistedOn(chart: Chart): Expected {
  const { answers, rest } = asCharted(chart);
  return { answers, rest: { ...rest, order: { ...rest.order, version: rest.order.version! + 1 } } };
}

/** A customer who cancels. Between the steps of one move a command cannot come: it waits until the move is made. */
export function cancelTrials(place: Place): Trial[] {
  const { chart, move, position } = place;
  const during: Trial = {
    place,
    what: 'is under way when the customer cancels',
    cancel: 'during',
    expected: cancelledDuring(chart, move),
  };
  const before: Trial = {
    place,
    what: 'has not begun when the customer cancels',
    cancel: 'before',
    expected: cancelledBefore(chart, move),
  };
  return position === 0 ? [before, during] : [during];
}

function cancelledDuring(chart: Chart, move: number): Expected {
  const { answers } = asCharted(chart);
  const { rest } = chart.stages[move]!;
  if (!isCancellable(rest)) return { ...asCharted(chart), cancel: REFUSED };
  const last = move === 0 ? answers[0]! : DONE_OR_CANCELLED;
  return {
    answers: [...answers.slice(0, move), last],
    cancel: 'cancelled',
    rest: cancelled(rest, 'usr_ (Changed my mind)'),
  };
}

function cancelledBefore(chart: Chart, move: number): Expected {
  const { answers } = asCharted(chart);
  // To cancel an order that is on its way starts its workflow, which places it first.
  const { rest } = chart.stages[Math.max(0, move - 1)]!;
  if (!isCancellable(rest)) {
    const first = move === 0 ? [/^(no answer|rejected)$/] : [answers[0]!];
    return { answers: [...first, ...answers.slice(1)], cancel: REFUSED, rest: chart.stages.at(-1)!.rest };
  }
  return {
    answers: [...answers.slice(0, move), move === 0 ? 'no answer' : REFUSED],
    cancel: 'cancelled',
    rest: cancelled(rest, 'usr_ (Changed my mind)'),
  };
}

function isCancellable({ order }: Rest): boolean {
  return order.status === 'confirmed' && order.fulfillmentStatus === 'unfulfilled';
}

/** @param by who cancelled it, and why */
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

/** Somebody who cancels the workflow in Temporal, also that of a closed order. */
export function temporalTrials(place: Place, { client }: TemporalClient): Trial[] {
  const fault = meanwhile(async ({ workflowId }) => {
    await client.workflow.getHandle(workflowId).cancel();
  });
  const what = 'is under way when the workflow is cancelled in Temporal';
  return [{ place, what, fault, expected: cancelledInTemporal(place) }];
}

function cancelledInTemporal(place: Place): Expected {
  const { chart, move } = place;
  if (move === 0) return cancelledWhilePlaced(place);
  const { answers, rest: last } = asCharted(chart);
  const { rest } = chart.stages[move]!;
  if (isCancellable(rest)) {
    return {
      answers: [...answers.slice(0, move), DONE_OR_CANCELLED],
      rest: { ...cancelled(rest, 'syst (The workflow was cancelled.)'), workflow: 'CANCELLED' },
    };
  }
  const replies = answers.with(move, orUnavailable(chart.stages[move]!));
  if (chart.stages[move - 1]!.rest.workflow === 'COMPLETED') {
    return {
      answers: replies,
      rest: { ...last, afterwards: expect.stringMatching(/^(COMPLETED|CANCELLED)$/) },
    };
  }
  // The next command takes up an order that is open.
  const isTakenUp = rest.workflow === 'RUNNING' && move < answers.length - 1;
  return { answers: replies, rest: { ...last, workflow: isTakenUp ? last.workflow : 'CANCELLED' } };
}

/**
 * A workflow that ends and is cancelled at the same moment is run once more from where Temporal last heard of it. It
 * may not have heard of the command then; sent again, that is answered.
 */
function orUnavailable({ answer, rest: { workflow } }: Stage): string | RegExp {
  return workflow === 'COMPLETED' ? new RegExp(`^(${answer}|service_unavailable)$`) : answer;
}

/**
 * What is under way is finished, and then undone with what was done before. Temporal tells the workflow of it with the
 * next task, and the steps on our own database are all part of one task with those around them.
 */
function cancelledWhilePlaced(place: Place): Expected {
  const { life, stages } = place.chart;
  const { answer, rest } = stages[0]!;
  const isPaid = answer === 'confirmed';
  switch (nameOf(place)) {
    case 'priceOrder':
    case 'openOrder':
      return undone(isPaid ? /^cancelled$/ : /^(cancelled|rejected)$/, /^(voided|declined)$/);
    case 'authorizePayment':
      if (life.authorizing === 'unanswered') return undone(/^cancelled$/, /^declined$/);
      if (isPaid) return undone(/^cancelled$/, /^voided$/);
      break;
    case 'findAuthorization':
      if (isPaid) return undone(/^cancelled$/, /^voided$/);
      break;
    case 'confirmOrder':
      return { ...undone(/^cancelled$/, /^voided$/), answers: [DONE_OR_CANCELLED] };
    default:
  }
  return { answers: [orUnavailable(stages[0]!)], rest: { ...rest, workflow: 'CANCELLED' } };
}

function undone(status: RegExp, paymentStatus: RegExp): Expected {
  const order: Partial<Gist> = {
    status: expect.stringMatching(status),
    paymentStatus: expect.stringMatching(paymentStatus),
    fulfillmentStatus: 'cancelled',
    reservation: 'released',
    owed: [],
  };
  return { answers: [status], rest: { order, workflow: 'CANCELLED', afterwards: 'never begun' } };
}

function nameOf({ step }: Place): StepName {
  return step.replace(/#\d+$/, '') as StepName;
}
