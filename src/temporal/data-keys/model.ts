import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** The key that encrypts what Temporal stores of a customer's orders. */
export interface DataKeyDocument {
  /** What the ids of the customer's orders end with. */
  _id: string;
  /** The key, encrypted with a key of PAYLOAD_KEYS; absent once it was destroyed. */
  wrapped?: Buffer;
  /** The id of that key. */
  wrappedBy?: string;
  createdAt: Date;
  /** Since when it encrypts nothing any more; it decrypts until it is destroyed. */
  retiredAt?: Date;
  destroyedAt?: Date;
}

const dataKeySchema = new Schema<DataKeyDocument>(
  {
    _id: { type: String, required: true },
    wrapped: Buffer,
    wrappedBy: String,
    createdAt: { type: Date, required: true },
    retiredAt: Date,
    destroyedAt: Date,
  },
  { collection: 'data_keys', versionKey: false, autoIndex: false, autoCreate: false },
);

// Finds the keys that are to be wrapped anew when PAYLOAD_KEYS are rotated.
dataKeySchema.index({ wrappedBy: 1 }, { sparse: true });

export function createDataKeyModel(connection: Connection): Model<DataKeyDocument> {
  return modelOf(connection, 'DataKey', dataKeySchema);
}
