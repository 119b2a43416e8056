import type { Connection, Model, Schema } from 'mongoose';

/** The model of that name on the connection, compiled the first time it is asked for. */
export function modelOf<T>(connection: Connection, name: string, schema: Schema<T>): Model<T> {
  return (connection.models[name] as Model<T> | undefined) ?? connection.model<T>(name, schema);
}
