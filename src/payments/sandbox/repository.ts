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
type Balances = Pick<SandboxPayment, 'open' | 'captured' | 'voided' | 'refunded'>;

/** A change of a payment by one operation, and the condition for it. */
export interface SandboxMove {
  /** What must be so before the move. */
  from: Pick<SandboxPayment, 'status' | 'open'>;
  /** The most that may have been refunded before the move. */
  refundedAtMost?: number;
  to: ProviderPaymentStatus;
  /** The amounts by which the balances change. */
  changes: Partial<Balances>;
  operation: SandboxOperation;
}

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
      { from, refundedAtMost, to, changes, operation }: SandboxMove,
    ): Promise<SandboxPayment | null | undefined> {
      const condition = {
        _id: key,
        ...from,
        'operations.key': trusted({ $ne: operation.key }),
        ...(refundedAtMost !== undefined && { refunded: trusted({ $lte: refundedAtMost }) }),
      };
      const update = { $set: { status: to }, $inc: changes, $push: { operations: operation } };
      const moved = await unlessTaken(() =>
        payments.findOneAndUpdate(condition, update, { returnDocument: 'after' }).lean(),
      );
      return moved && toPayment(moved);
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
