import { trusted, type Connection } from 'mongoose';
import type { ProviderPaymentStatus } from '../../domain/payment';
import { unlessTaken } from '../../mongodb/errors';
import {
  createSandboxAttemptsModel,
  createSandboxPaymentModel,
  createSandboxSwitchModel,
  type SandboxOperation,
  type SandboxPaymentDocument,
} from './model';

export type SandboxPayment = Omit<SandboxPaymentDocument, '_id'> & { key: string };
type Balances = Pick<SandboxPayment, 'open' | 'captured' | 'voided' | 'refunded'>;

/** An operation on a payment, what it does to the balances, and on what condition. */
export interface SandboxMove {
  from: ProviderPaymentStatus;
  /** More must not have been refunded by then. */
  refundedAtMost?: number;
  to: ProviderPaymentStatus;
  changes: Partial<Balances>;
  operation: SandboxOperation;
}

/** The ledger of the sandbox, which belongs to a payment service of its own: it takes part in no transaction of ours. */
export interface SandboxRepository {
  find(key: string): Promise<SandboxPayment | null>;
  /** The payment of that key: the given one when the key is new. Null when another payment's operation has the key. */
  open(payment: SandboxPayment): Promise<SandboxPayment | null>;
  /** Null when its condition does not hold; undefined when another payment's operation has the key. */
  move(key: string, move: SandboxMove): Promise<SandboxPayment | null | undefined>;
  /** @returns how often this operation has been asked for, this time included */
  countAttempt(operationKey: string): Promise<number>;
  isAvailable(): Promise<boolean>;
  setAvailable(available: boolean): Promise<void>;
}

const OUTAGE_SWITCH = 'pm_sandbox_outage';
const UPSERT = { upsert: true, returnDocument: 'after' } as const;

export function createSandboxRepository(connection: Connection): SandboxRepository {
  const payments = createSandboxPaymentModel(connection);
  const attempts = createSandboxAttemptsModel(connection);
  const switches = createSandboxSwitchModel(connection);

  async function find(key: string): Promise<SandboxPayment | null> {
    const found = await payments.findById(key).lean();
    return found && toPayment(found);
  }

  return {
    find,

    async open({ key, ...fields }) {
      const opened = await unlessTaken(() =>
        payments.findOneAndUpdate({ _id: key }, { $setOnInsert: fields }, UPSERT).lean(),
      );
      return opened ? toPayment(opened) : find(key); // somebody else has opened it just now, or the key is not free
    },

    async move(key, { from, refundedAtMost, to, changes, operation }) {
      const condition = {
        _id: key,
        status: from,
        'operations.key': trusted({ $ne: operation.key }),
        ...(refundedAtMost !== undefined && { refunded: trusted({ $lte: refundedAtMost }) }),
      };
      const update = { $set: { status: to }, $inc: changes, $push: { operations: operation } };
      const moved = await unlessTaken(() =>
        payments.findOneAndUpdate(condition, update, { returnDocument: 'after' }).lean(),
      );
      return moved && toPayment(moved);
    },

    async countAttempt(operationKey) {
      const { count } = await attempts
        .findOneAndUpdate({ _id: operationKey }, { $inc: { count: 1 } }, UPSERT)
        .lean();
      return count;
    },

    isAvailable: async () => (await switches.findById(OUTAGE_SWITCH).lean())?.available ?? false,

    async setAvailable(available) {
      await switches.replaceOne({ _id: OUTAGE_SWITCH }, { available }, { upsert: true });
    },
  };
}

function toPayment({ _id, ...fields }: SandboxPaymentDocument): SandboxPayment {
  return { key: _id, ...fields };
}
