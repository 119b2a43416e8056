import { randomUUID } from 'node:crypto';
import type { AmendOrder } from '../../../src/domain/amendment';
import type { Order, OrderLine, OrderRequest, RefundedLine } from '../../../src/domain/order';
import { currentPayment } from '../../../src/domain/order-payment';
import { AppError } from '../../../src/errors/app-error';
import { createSandboxActions } from '../../../src/payments/sandbox/actions';
import { createSandboxDashboard } from '../../../src/payments/sandbox/dashboard';
import { createSandboxRepository } from '../../../src/payments/sandbox/repository';
import { COMMANDS } from '../../../workflows/contract';
import { newCommand } from '../../support/commands';
import type { Ordering, Shop } from '../../support/shop';

/** The order, or the code of the problem, or `ended` when the workflow has ended. */
export type Result = Order | string;

export type Customer = ReturnType<typeof customerOf>;

/** Sends the commands on one order as the API does. */
export function customerOf({ workflows, place }: Ordering, { orders, db }: Shop, request: OrderRequest) {
  const { orderId } = request;
  const stored = () => orders.findById(orderId);
  /** The same id names the same command, like the same Idempotency-Key. */
  const keyed = (id: string, content: object) => ({
    ...newCommand(),
    id: `${orderId}-${id}`,
    fingerprint: JSON.stringify(content),
    attemptId: 'test',
  });

  const sandbox = createSandboxRepository(db.connection);
  /** Has the order look at its payment again, as an event of the payment service does. */
  async function look() {
    const order = (await stored())!;
    const { key: paymentKey } = currentPayment(order);
    return resultOf(workflows.executeAlways(order, COMMANDS.checkPayment, { ...newCommand(), paymentKey }));
  }

  return {
    stored,
    place: async () => (await resultOf(place(request))) ?? (await stored()) ?? 'no response',
    cancel: () =>
      resultOf(workflows.execute(request, COMMANDS.cancel, { ...newCommand(), reason: 'Changed my mind' })),
    amend: (change: Partial<AmendOrder>) =>
      resultOf(workflows.execute(request, COMMANDS.amend, { ...newCommand(), ifMatch: null, ...change })),
    fulfill(id: string, items: OrderLine[]) {
      const command = { ...keyed(id, items), items, carrier: null, trackingNumber: null };
      return resultOf(workflows.execute(request, COMMANDS.fulfill, command));
    },
    deliver: (id: string) =>
      resultOf(
        workflows.execute(request, COMMANDS.deliver, { ...newCommand(), fulfillmentId: `${orderId}-${id}` }),
      ),
    cancelUnits(id: string, items: OrderLine[]) {
      const command = { ...keyed(id, items), items, reason: 'Broken' };
      return resultOf(workflows.execute(request, COMMANDS.cancel, command));
    },
    undo(id: string, restock: boolean) {
      const command = { ...newCommand(), fulfillmentId: `${orderId}-${id}`, reason: 'Lost', restock };
      return resultOf(workflows.execute(request, COMMANDS.undoFulfillment, command));
    },
    correct(id: string, carrier: string) {
      const command = { ...newCommand(), fulfillmentId: `${orderId}-${id}`, carrier };
      return resultOf(workflows.execute(request, COMMANDS.correctFulfillment, command));
    },
    async refund(id: string, amount: number | null, items?: RefundedLine[]) {
      const command = { ...keyed(id, { amount, items }), amount, ...(items && { items }), reason: 'Broken' };
      return resultOf(workflows.executeAlways((await stored())!, COMMANDS.refund, command));
    },
    pay(id: string, paymentMethod: string) {
      // One that was interrupted is carried out by a repeat, which comes with another request.
      const command = { ...keyed(id, { paymentMethod }), attemptId: randomUUID(), paymentMethod };
      return resultOf(workflows.execute(request, COMMANDS.pay, command));
    },
    /** The customer confirms the payment at the bank, which the order is told. */
    async confirm() {
      const [payment] = await sandbox.ofOrder(orderId);
      await createSandboxActions(sandbox).answer(payment!, 'authorise');
      return look();
    },
    /** The authorisation lapses, which the order is told. */
    async lapse() {
      const [payment] = await sandbox.ofOrder(orderId);
      const dashboard = createSandboxDashboard(sandbox);
      if (payment!.status === 'authorized') await dashboard.operate(payment!.key, { operation: 'expire' });
      return look();
    },
    archive: async () => resultOf(workflows.executeAlways((await stored())!, COMMANDS.archive, newCommand())),
    retry: (step: string) =>
      resultOf(workflows.execute(request, COMMANDS.retryCompensation, { ...newCommand(), step })),
    resolve: (step: string, note: string) =>
      resultOf(workflows.execute(request, COMMANDS.resolveCompensation, { ...newCommand(), step, note })),
  };
}

function resultOf<T>(command: Promise<T>): Promise<T | string> {
  return command.catch((error: unknown) => {
    if (error instanceof AppError) return error.code;
    throw error;
  });
}
