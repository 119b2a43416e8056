import { trusted, type ClientSession, type Connection } from 'mongoose';
import { expiryOf, holdMoves, withoutHold, type Cart } from '../domain/cart';
import type { OrderedCart } from '../domain/order';
import type { StockMove } from '../domain/stock';
import { isUnavailableError, unlessTaken } from '../mongodb/errors';
import { createTransact } from '../mongodb/transaction';
import { fromDocument, toDocument, updateOf } from './cart-documents';
import { ANY_TIME, createCartModel, type CartDocument } from './carts.model';

export type CartRepository = ReturnType<typeof createCartRepository>;

/** The next version of a cart; null to delete it. */
export interface CartChange {
  before: Cart;
  after: Cart | null;
}

/** What has become of a change: `outdated` if another version was stored, `short` if the stock lacks units to hold. */
export type CartWritten = 'done' | 'outdated' | 'short';

export interface CartStock {
  stock: {
    /** @returns false if a product has fewer units than a move takes */
    move(moves: readonly StockMove[], session: ClientSession): Promise<boolean>;
  };
  /** Lets one transaction per product through at a time: what is held is scarce, and sought by many at once. */
  stockQueue<T>(productIds: readonly string[], work: () => Promise<T>): Promise<T>;
}

/** How many carts are changed at a time. */
const SWEPT = 50;

class NotWritten extends Error {
  constructor(readonly outcome: CartWritten) {
    super(outcome);
  }
}

/** Every write is on the condition that the cart has the version that was read. What is held moves with it in stock. */
export function createCartRepository(connection: Connection, { stock, stockQueue }: CartStock) {
  const transact = createTransact(connection);
  const model = createCartModel(connection);
  /** Writes whole carts: Mongoose would cast each field. */
  const documents = connection.collection<CartDocument>(model.collection.collectionName);

  async function writeOne({ before, after }: CartChange, session?: ClientSession): Promise<boolean> {
    const { id: _id, version } = before;
    if (!after) return (await documents.deleteOne({ _id, version }, { session })).deletedCount === 1;
    return (await documents.replaceOne({ _id, version }, toDocument(after), { session })).matchedCount === 1;
  }

  /** Writes all changes together with what they move in stock, or none. */
  async function write(...changes: CartChange[]): Promise<CartWritten> {
    const moves = holdMoves(changes);
    if (moves.length === 0 && changes.length === 1)
      return (await writeOne(changes[0]!)) ? 'done' : 'outdated';
    const work = async (session: ClientSession) => {
      for (const change of changes) {
        if (!(await writeOne(change, session))) throw new NotWritten('outdated');
      }
      if (!(await stock.move(moves, session))) throw new NotWritten('short');
    };
    const products = moves.map(({ productServiceId }) => productServiceId);
    try {
      await stockQueue(products, () => transact(work));
      return 'done';
    } catch (error) {
      if (error instanceof NotWritten) return error.outcome;
      throw error;
    }
  }

  return {
    write,

    /** Stores a new cart. Returns false if its user has another one by now. */
    async insert(cart: Cart): Promise<boolean> {
      return (await unlessTaken(() => documents.insertOne(toDocument(cart)))) !== undefined;
    },

    async find(id: string): Promise<Cart | null> {
      const found = await model.findById(id).lean<CartDocument>();
      return found && fromDocument(found);
    },

    /** Finds the newest open cart of a user. */
    async findOpen(customerId: string): Promise<Cart | null> {
      const found = await model
        .findOne({ customerId, status: 'open', tokenHash: null })
        .sort({ _id: -1 })
        .lean<CartDocument>();
      return found && fromDocument(found);
    },

    /**
     * Releases what was held until now, of as many carts as it can.
     * @param productIds only if units of these are among it
     * @param onFailure told of a cart that is damaged, or of which the stock lacks what it holds
     * @returns how many carts it was held for
     */
    async releaseExpired(
      productIds?: readonly string[],
      onFailure: (cartId: string, reason: unknown) => void = () => undefined,
    ): Promise<number> {
      let released = 0;
      const expired = documents.find(
        {
          'hold.until': { $gt: ANY_TIME, $lte: new Date() },
          ...(productIds && { 'hold.items.productServiceId': { $in: [...productIds] } }),
        },
        { batchSize: SWEPT },
      );
      const release = async (document: CartDocument) => {
        try {
          const cart = fromDocument(document);
          const outcome = await write({ before: cart, after: withoutHold(cart) });
          if (outcome === 'done') released++;
          if (outcome === 'short') onFailure(document._id, 'The stock lacks what the cart holds.');
        } catch (error) {
          if (isUnavailableError(error)) throw error;
          onFailure(document._id, error);
        }
      };
      // Those that cannot be released stay, so the next ones are beyond them.
      try {
        for (let isLast = false; !isLast;) {
          const some: CartDocument[] = [];
          while (some.length < SWEPT && !isLast) {
            const next = await expired.next();
            if (next) some.push(next);
            else isLast = true;
          }
          await Promise.all(some.map(release));
        }
      } finally {
        await expired.close();
      }
      return released;
    },

    /**
     * Says that the cart has become the order, as part of the transaction that saves that, and releases what is held for it.
     * Returns false if it does not have the content any more of which the order is, or is gone.
     */
    async markOrdered(
      { id, contentVersion }: OrderedCart,
      orderId: string,
      session: ClientSession,
    ): Promise<boolean> {
      const before = await documents.findOneAndUpdate(
        { _id: id, contentVersion, status: 'open' },
        updateOf({ $set: { status: 'ordered', orderId, hold: null }, $inc: { version: 1 } }),
        { session, returnDocument: 'before' },
      );
      if (!before?.hold) return before !== null;
      const cart = fromDocument(before);
      const expiresAt = new Date(expiryOf(cart));
      await documents.updateOne({ _id: id }, updateOf({ $set: { expiresAt } }), { session });
      return stock.move(holdMoves([{ before: cart, after: null }]), session);
    },

    /** Opens the cart for another attempt, as part of the transaction in which the order that it has become is rejected. */
    async reopen({ id }: Pick<OrderedCart, 'id'>, orderId: string, session: ClientSession): Promise<void> {
      await documents.updateOne(
        { _id: id, orderId },
        updateOf({ $set: { status: 'open', orderId: null }, $inc: { attempt: 1, version: 1 } }),
        { session },
      );
    },

    /** Has the cart, whose order was rejected before the cart became it, be ordered in the next attempt; once only. */
    async beginAttempt({ id: _id, attempt }: Pick<Cart, 'id' | 'attempt'>): Promise<void> {
      await documents.updateOne(
        { _id, attempt: attempt - 1, mergedInto: null },
        updateOf({ $set: { status: 'open', orderId: null, attempt }, $inc: { version: 1 } }),
      );
    },

    /**
     * Marks carts with something in them that nobody has changed since then, each once only. Returns how many, some of
     * those there are.
     */
    async markAbandoned(before: Date): Promise<number> {
      const found = await model
        .find({
          status: 'open',
          abandonedAt: null,
          'items.productServiceId': trusted({ $gt: '' }),
          updatedAt: trusted({ $lte: before }),
        })
        .sort({ updatedAt: 1 })
        .limit(SWEPT)
        .lean<CartDocument[]>();
      const done = await Promise.all(
        found.map(({ _id, version }) =>
          documents.updateOne(
            { _id, version },
            updateOf({ $set: { abandonedAt: new Date() }, $inc: { version: 1 } }),
          ),
        ),
      );
      return done.filter(({ modifiedCount }) => modifiedCount === 1).length;
    },

    /** Deletes all carts of a customer, and releases what is held for them. */
    async removeAllOf(customerId: string): Promise<void> {
      for (;;) {
        const found = await model.find({ customerId }).limit(SWEPT).lean<CartDocument[]>();
        const removals = found.map((document) => write({ before: fromDocument(document), after: null }));
        const done = await Promise.all(removals);
        if (done.includes('short')) throw new Error(`The stock lacks what a cart of ${customerId} holds.`);
        if (found.length === 0) return;
      }
    },
  };
}
