/** Types of what operations take and return, from those that `openapi-typescript` makes of the document. */

/** An operation as `openapi-typescript` describes it. */
export interface Described {
  parameters: { path?: unknown; query?: unknown; header?: unknown };
  requestBody?: unknown;
  responses: object;
}

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
/** What is not JSON is a text. */
type Content<T> = T extends { content: infer C }
  ? 'application/json' extends keyof C
    ? Json<T>
    : string
  : never;
type Success<R> = {
  [Status in keyof R]: Status extends 200 | 201 | 202 ? Content<R[Status]> : never;
}[keyof R];

/** The body of a success; undefined where there is none. */
type BodyOf<Op extends Described> = [Success<Op['responses']>] extends [never]
  ? undefined
  : Success<Op['responses']>;

type BodyInput<Op> = Op extends { requestBody: infer R }
  ? { body: Json<R> }
  : Op extends { requestBody?: infer R }
    ? { body?: Json<NonNullable<R>> }
    : object;

type Part<Name extends string, Value> = [Exclude<Value, undefined>] extends [never]
  ? object
  : undefined extends Value
    ? { [Key in Name]?: Value }
    : object extends Value
      ? { [Key in Name]?: Value }
      : { [Key in Name]: Value };

/** The client makes an Idempotency-Key unless it is given one. */
type HeaderOf<Value> = Value extends object
  ? Omit<Value, 'Idempotency-Key'> & { 'Idempotency-Key'?: string }
  : Value;

/** What a call of an operation takes. */
export type InputOf<Op extends Described> = BodyInput<Op> &
  Part<'path', Op['parameters']['path']> &
  Part<'query', Op['parameters']['query']> &
  Part<'headers', HeaderOf<Op['parameters']['header']>> & { signal?: AbortSignal };

/** What a call returns: the body, and of the response what does not stand in it. */
export type ResultOf<Body> = (Body extends { data: infer Data; meta: infer Meta }
  ? { data: Data; meta: Meta }
  : { data: Body; meta?: undefined }) & {
  status: number;
  headers: Headers;
  /** For If-Match of the next change. */
  etag?: string;
  /** Whether an earlier attempt with the same Idempotency-Key has had this outcome already. */
  isReplayed: boolean;
};

/** The operations of which nothing has to be given may be called without anything. */
export type Call<Op extends Described> =
  object extends InputOf<Op>
    ? (input?: InputOf<Op>) => Promise<ResultOf<BodyOf<Op>>>
    : (input: InputOf<Op>) => Promise<ResultOf<BodyOf<Op>>>;

export type Calls<Ops> = { [Id in keyof Ops]: Ops[Id] extends Described ? Call<Ops[Id]> : never };
