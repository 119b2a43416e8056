import Joi from 'joi';

/** Temporal's JSON form of a payload: bytes in base64, of either alphabet. */
export interface JsonPayload {
  metadata?: Record<string, string>;
  data?: string;
}

const base64 = Joi.string()
  .pattern(/^[\w+/-]*={0,2}$/)
  .allow('')
  .messages({ 'string.pattern.base': '{#label} must be base64' });

const payload = Joi.object<JsonPayload, true>({
  metadata: Joi.object().pattern(/^[A-Za-z][\w.-]{0,99}$/, base64) as unknown as Joi.ObjectSchema<
    Record<string, string>
  >,
  data: base64,
});

/** The body of requests and responses, for both operations. */
export const payloads = Joi.object<{ payloads: JsonPayload[] }, true>({
  payloads: Joi.array().items(payload).required(),
})
  .id('Payloads')
  .example({ payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'Im15IG5vdGUi' }] });
