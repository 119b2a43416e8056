import type { Connection, Model, Schema } from 'mongoose';

/** Returns the model of this name on the connection. It is compiled on first use. */
export function modelOf<T>(connection: Connection, name: string, schema: Schema<T>): Model<T> {
  return (connection.models[name] as Model<T> | undefined) ?? connection.model<T>(name, schema);
}
