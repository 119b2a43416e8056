import { Schema, type Connection, type Model } from 'mongoose';
import type { AnsweredCommand } from '../domain/order';
import { modelOf } from '../mongodb/model';
import { answeredCommandSchema, type Dated } from './orders.model';

/** The answer to a command for which the order that has given it had no room any more. */
export interface AnsweredCommandDocument {
  /** The id of the order, a slash, and that of the command. */
  _id: string;
  answer: Dated<AnsweredCommand>;
}

const schema = new Schema<AnsweredCommandDocument>(
  { _id: { type: String, required: true }, answer: { type: answeredCommandSchema, required: true } },
  { collection: 'answered_commands', versionKey: false, autoIndex: false, autoCreate: false },
);

export function createAnsweredCommandModel(connection: Connection): Model<AnsweredCommandDocument> {
  return modelOf(connection, 'AnsweredCommand', schema);
}
