import { trusted, type Connection } from 'mongoose';
import type { ProviderPaymentStatus } from '../../domain/payment';
import { unlessTaken } from '../../mongodb/errors';
import { FAULTY_METHODS } from './payment-methods';
import {
  createSandboxAttemptsModel,
  createSandboxPaymentModel,
  createSandboxSwitchModel,
  type SandboxOperation,
  type SandboxPaymentDocument,
} from './model';

export type SandboxRepository = ReturnType<typeof createSandboxRepository>;
export type SandboxPayment = Omit<SandboxPaymentDocument, '_id'> & { key: string };
type Balances = Pick<SandboxPayment, 'authorized' | 'open' | 'captured' | 'voided' | 'refunded' | 'disputed'>;

/** A change of a payment by one operation, and the condition for it. */
export interface SandboxMove {
  /** What must be so before the move. */
  from: Pick<SandboxPayment, 'status' | 'open' | 'disputed'>;
  /** The most that may have been refunded before the move. */
  refundedAtMost?: number;
  to: ProviderPaymentStatus;
  /** Why it is declined, if it is. */
  declineReason?: string;
  /** The amounts by which the balances change. */
  changes: Partial<Balances>;
  operation: SandboxOperation;
}

export interface ChangedWithin {
  from: Date;
  /** Exclusive. */
  to: Date;
  /** The last key that has been read, or null to begin. */
  after: string | null;
  limit: number;
}

/** The period tells more than the cursor does, which MongoDB cannot know. */
const BY_TIME = { 'operations.at': 1 } as const;
const OUTAGE_SWITCH = FAULTY_METHODS.outage;
const UPSERT = { upsert: true, returnDocument: 'after' } as const;

/** The sandbox's ledger. It stands for a separate payment service, so it takes no part in our transactions. */
export function createSandboxRepository(connection: Connection) {
  const payments = createSandboxPaymentModel(connection);
  const attempts = createSandboxAttemptsModel(connection);
  const switches = createSandboxSwitchModel(connection);

  async function find(key: string): Promise<SandboxPayment | null> {
    const found = await payments.findById(key).lean();
    return found && toPayment(found);
  }

  return {
    find,

    /**
     * Inserts the payment unless its key exists already.
     * @returns the stored payment, or null if the key belongs to an operation of another payment
     */
    async open({ key, ...fields }: SandboxPayment): Promise<SandboxPayment | null> {
      const opened = await unlessTaken(() =>
        payments.findOneAndUpdate({ _id: key }, { $setOnInsert: fields }, UPSERT).lean(),
      );
      return opened ? toPayment(opened) : find(key); // another process has just opened it, or the key is taken
    },

    /**
     * @returns null if the condition does not hold, undefined if the key belongs to an operation of another
     * payment
     */
    async move(
      key: string,
      { from, refundedAtMost, to, declineReason, changes, operation }: SandboxMove,
    ): Promise<SandboxPayment | null | undefined> {
      const condition = {
        _id: key,
        ...from,
        'operations.key': trusted({ $ne: operation.key }),
        ...(refundedAtMost !== undefined && { refunded: trusted({ $lte: refundedAtMost }) }),
      };
      const set = { status: to, ...(declineReason !== undefined && { declineReason }) };
      const update = { $set: set, $inc: changes, $push: { operations: operation } };
      const moved = await unlessTaken(() =>
        payments.findOneAndUpdate(condition, update, { returnDocument: 'after' }).lean(),
      );
      return moved && toPayment(moved);
    },

    /** Returns the payment whose customer has to act on the page with this id. */
    async findByAction(actionId: string): Promise<SandboxPayment | null> {
      const found = await payments.findOne({ 'action.id': actionId }).lean();
      return found && toPayment(found);
    },

    /** Returns the payments of an order, the oldest first. */
    async ofOrder(orderId: string): Promise<SandboxPayment[]> {
      const found = await payments.find({ orderId }).sort({ reference: 1 }).lean();
      return found.map(toPayment);
    },

    /** Returns the payments with an operation in the period, by their keys. */
    async changedWithin({ from, to, after, limit }: ChangedWithin): Promise<SandboxPayment[]> {
      const operations = trusted({ $elemMatch: { at: { $gte: from, $lt: to } } });
      const found = await payments
        .find({ operations, ...(after !== null && { _id: trusted({ $gt: after }) }) })
        .sort({ _id: 1 })
        .limit(limit)
        .hint(BY_TIME)
        .lean();
      return found.map(toPayment);
    },

    /** @returns how often this operation has been requested, this time included */
    async countAttempt(operationKey: string): Promise<number> {
      const { count } = await attempts
        .findOneAndUpdate({ _id: operationKey }, { $inc: { count: 1 } }, UPSERT)
        .lean();
      return count;
    },

    /** Tells whether `pm_sandbox_outage` works. */
    async isAvailable(): Promise<boolean> {
      return (await switches.findById(OUTAGE_SWITCH).lean())?.available ?? false;
    },

    async setAvailable(available: boolean): Promise<void> {
      await switches.replaceOne({ _id: OUTAGE_SWITCH }, { available }, { upsert: true });
    },
  };
}

function toPayment({ _id, ...fields }: SandboxPaymentDocument): SandboxPayment {
  return { key: _id, ...fields };
}
