import { setHandler } from '@temporalio/workflow';
import type { CancelOrder } from '../src/domain/closing';
import type { Command } from '../src/domain/command';
import { malformedField } from '../src/domain/command-shapes';
import { UNANSWERED } from '../src/domain/intention';
import type { CheckPayment } from '../src/domain/reconciling';
import type { OrderAnswer } from '../src/domain/order-summary';
import {
  COMMANDS,
  FAILURES,
  getOrderQuery,
  getTimelineQuery,
  type CommandDone,
  type CommandType,
} from './contract';
import { asFailure } from './failures';
import type { CommandStep, OrderEntity } from './order.entity';

/** Handles the commands on an order whose workflow is open. */
export function handleOrderCommands(order: OrderEntity): void {
  const cancelled = (command: CancelOrder) =>
    isWhole(command)
      ? order.cancel(command)
      : order.carryOut(command, (steps, one) => steps.cancelOrder(one, order.request));
  handle(order, COMMANDS.cancel, (command) => onceCompensated(order, cancelled(command)), isWhole);
  handle(order, COMMANDS.undoFulfillment, (command) =>
    onceCompensated(
      order,
      order.carryOut(command, (steps, one) => steps.undoFulfillment(one)),
    ),
  );
  handleByStep(order, COMMANDS.amend, (steps, command, { inline }) =>
    command.items ? steps.amendOrder(command, inline) : steps.light.amendOrder(command, inline),
  );
  handleByStep(order, COMMANDS.fulfill, (steps, command, { order: { isPaymentClosed }, inline }) =>
    isPaymentClosed ? steps.light.fulfillOrder(command, inline) : steps.fulfillOrder(command, inline),
  );
  handle(order, COMMANDS.pay, async (command) => {
    await order.compensatedOnceBegun(); // the payment before is given up first
    return order.carryOut(command, (steps, one, { inline }) => steps.payOrder(one, inline));
  });
  handleByStep(order, COMMANDS.correctFulfillment, (steps, command) => steps.correctFulfillment(command));
  handleByStep(order, COMMANDS.deliver, (steps, command) => steps.deliverFulfillment(command));
  handleOperatorCommands(order);
  handleOutlivingCommands(order);
}

/** Whether the whole order is cancelled, which interrupts what authorises a payment. */
const isWhole = ({ items }: CancelOrder) => !items;

/** Answers what operators ask in the Temporal UI. */
export function handleQueries(order: OrderEntity): void {
  setHandler(getOrderQuery, order.report);
  setHandler(getTimelineQuery, order.timeline);
}

/** Answers once what the command makes the order owe has been tried. */
async function onceCompensated(order: OrderEntity, carriedOut: Promise<OrderAnswer>): Promise<OrderAnswer> {
  const answer = await carriedOut;
  if (!answer.answer?.error) await order.compensated();
  return answer;
}

/** Handles the commands that outlive the order's own workflow. */
export function handleOutlivingCommands(order: OrderEntity): void {
  handleByStep(order, COMMANDS.refund, (steps, command, { inline }) => steps.refundOrder(command, inline));
  setHandler(COMMANDS.checkPayment.update, (command) => checked(order, command), {
    validator: validator(order, COMMANDS.checkPayment),
  });
  handleByStep(order, COMMANDS.archive, (steps, command) => steps.archiveOrder(command));
}

/** Answers once the order is in line with the payment service. @throws the failure of the update if that says nothing */
async function checked(order: OrderEntity, command: CheckPayment): Promise<CommandDone> {
  const answer = await order.checkPayment(command);
  if (!answer) throw asFailure(UNANSWERED.error);
  return { version: answer.version };
}

/** Handles the commands of operators, which take effect while a compensation is under way. */
function handleOperatorCommands(order: OrderEntity): void {
  const { retryCompensation: retry, resolveCompensation: resolve } = COMMANDS;
  setHandler(retry.update, order.retryCompensation, { validator: validator(order, retry) });
  setHandler(resolve.update, order.resolveCompensation, { validator: validator(order, resolve) });
}

function handleByStep<C extends Command>(
  order: OrderEntity,
  type: CommandType<C>,
  step: CommandStep<C>,
): void {
  handle(order, type, (command) => order.carryOut(command, step));
}

/** Answers the commands of one type as the order has answered them. */
function handle<C extends Command>(
  order: OrderEntity,
  type: CommandType<C>,
  carryOut: (command: C) => Promise<OrderAnswer>,
  interrupts?: (command: C) => boolean,
): void {
  const answer = async (command: C): Promise<CommandDone> => {
    const { version, answer: answered } = await carryOut(command);
    order.note('command', `${type.update.name}: ${answered?.error?.type ?? 'done'}`);
    if (!answered?.error) return { version };
    throw asFailure(answered.error, version);
  };
  setHandler(type.update, answer, { validator: validator(order, type, interrupts) });
}

/**
 * Rejects a command that is malformed, or that comes too late for this run, before the update is accepted: anyone with
 * access to Temporal can send one.
 */
function validator<C extends Command>(
  order: OrderEntity,
  { shape }: CommandType<C>,
  interrupts: (command: C) => boolean = () => false,
): (command: C) => void {
  return (command) => {
    const field = malformedField(shape, command);
    if (field) throw asFailure({ type: FAILURES.malformedCommand, message: malformed(field) });
    order.requireOpen(interrupts(command));
  };
}

const malformed = (field: string) =>
  `The argument of this update is malformed: ${field}. Send commands to the API, which sends well-formed ones.`;
