import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { OrderRequest, OrderState } from '../src/domain/order';
import { orderNumberOf } from '../src/domain/order-number';
import type { OrderSummary } from '../src/domain/order-summary';
import { INITIAL_STATE } from '../src/domain/order-transitions';
import { SEARCH_ATTRIBUTES, type Beginning, type OrderPolicy } from './contract';
import { showInAttributes, showStuckInAttributes } from './order.attributes';
import { detailsOf, reportOf, shortened, type Circumstances, type Trouble } from './order.report';
import { createTimeline, type Timeline } from './order.timeline';

/** What a run hands to the next one, which shows it as its own. */
export interface Story extends Pick<Circumstances, 'since' | 'trouble'> {
  timeline: Timeline;
}

/** Shows an order in the Temporal UI: by its current details, its search attributes and the answers to queries. */
export function createOrderDisplay(
  request: OrderRequest,
  { fulfillmentDeadlineMs }: OrderPolicy,
  beginning: Beginning,
  story?: Story,
) {
  const how = beginning === 'place' ? 'started' : 'started for an order that was placed before';
  const timeline = createTimeline(how, story?.timeline);
  let order = shownAtStart(request);
  let isKnown = beginning === 'place';
  const circumstances: Circumstances = {
    since:
      story?.since ?? (isKnown ? { at: request.createdAt, isExact: true } : { at: now(), isExact: false }),
    doing: null,
    trouble: story?.trouble ?? null,
    fulfillmentDeadlineMs,
  };
  /** How long the parts of placing the order took, in milliseconds. */
  let took: Record<string, number> = {};

  const refresh = () => setCurrentDetails(detailsOf(order, circumstances, took));
  refresh();

  function fail(trouble: Pick<Trouble, 'step' | 'failure' | 'isCompensation'>): void {
    circumstances.trouble = { ...trouble, failure: shortened(trouble.failure), at: now(), isNow: true };
    timeline.note('failing', trouble.step);
    refresh();
  }

  return {
    note: timeline.note,

    /** Shows what the workflow begins to do, or that this was all. */
    doing(step: string | null): void {
      circumstances.doing = step === null ? null : { step, since: now() };
      refresh();
    },

    /** Shows a compensation on our own database that keeps failing, which the order itself cannot tell. */
    showStuck(step: string, failure: string): void {
      showStuckInAttributes();
      fail({ step, failure, isCompensation: true });
    },

    /** Shows any other write that keeps failing. */
    showDelayed: (step: string, failure: string) => fail({ step, failure }),

    /** Keeps how long the parts of placing the order took, in milliseconds. */
    keepTimes(times: Record<string, number>): void {
      took = times;
    },

    /** Shows the order as a step has answered. */
    show(answer: OrderSummary): void {
      showInAttributes(answer);
      const isFound = !isKnown;
      const isChanged = stateOf(answer) !== stateOf(order);
      if (isChanged || (isFound && !story)) circumstances.since = { at: now(), isExact: !isFound };
      // What a run finds has happened before it, and is not news, unless the run before had seen another state.
      timeline.noteChanges(answer, isFound ? { ...answer, ...(story && axesOf(order)) } : order);
      if (circumstances.trouble) circumstances.trouble = { ...circumstances.trouble, isNow: false };
      circumstances.doing = null;
      order = answer;
      isKnown = true;
      refresh();
    },

    report: () => reportOf(order, circumstances),
    timeline: timeline.current,
    story: (): Story => ({
      since: circumstances.since,
      trouble: circumstances.trouble,
      timeline: timeline.current(),
    }),
  };
}

function now(): string {
  return new Date().toISOString();
}

function axesOf({ status, paymentStatus, fulfillmentStatus }: OrderState): OrderState {
  return { status, paymentStatus, fulfillmentStatus };
}

function stateOf(order: OrderState): string {
  return Object.values(axesOf(order)).join(' ');
}

/** What is known of an order before it is placed or fetched: Temporal has what was shown of it last. */
function shownAtStart({ orderId }: OrderRequest): OrderSummary {
  const { typedSearchAttributes: shown } = workflowInfo();
  const { orderStatus, paymentStatus, fulfillmentStatus, currency, orderTotal } = SEARCH_ATTRIBUTES;
  return {
    number: orderNumberOf(orderId),
    version: 0,
    resumedRevision: 0,
    status: (shown.get(orderStatus) as OrderSummary['status'] | undefined) ?? INITIAL_STATE.status,
    paymentStatus:
      (shown.get(paymentStatus) as OrderSummary['paymentStatus'] | undefined) ?? INITIAL_STATE.paymentStatus,
    fulfillmentStatus:
      (shown.get(fulfillmentStatus) as OrderSummary['fulfillmentStatus'] | undefined) ??
      INITIAL_STATE.fulfillmentStatus,
    currency: shown.get(currency) ?? null,
    total: shown.get(orderTotal) ?? null,
    captured: 0,
    refunded: 0,
    rejection: null,
    waitingSince: null,
    owed: [],
    toPay: null,
  };
}
