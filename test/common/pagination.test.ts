import Joi from 'joi';
import { decodeCursor, encodeCursor } from '../../src/common/pagination';

const schema = Joi.array().ordered(Joi.string().required(), Joi.number().required());

describe('cursor', () => {
  it('decodes to what was encoded', () => {
    expect(decodeCursor(encodeCursor(['ümlaut/?&', 7]), schema)).toEqual(['ümlaut/?&', 7]);
  });

  it.each([
    ['not base64', '%%%'],
    ['not JSON', Buffer.from('{').toString('base64url')],
    ['another shape', encodeCursor([1, 'a'])],
    ['too short', encodeCursor(['a'])],
    ['too long', encodeCursor(['a', 1, 2])],
    ['an operator', encodeCursor([{ $gt: '' }, 1])],
  ])('is rejected if it is %s', (_what, cursor) => {
    expect(() => decodeCursor(cursor, schema)).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        errors: [expect.objectContaining({ path: 'cursor' })],
      }),
    );
  });
});
