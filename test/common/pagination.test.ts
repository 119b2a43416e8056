import Joi from 'joi';
import { decodeCursor, encodeCursor } from '../../src/common/pagination';

const schema = Joi.array().ordered(Joi.string().required(), Joi.number().required());

describe('cursor', () => {
  it('comes back as it was', () => {
    expect(decodeCursor(encodeCursor(['ümlaut/?&', 7]), schema)).toEqual(['ümlaut/?&', 7]);
  });

  it.each([
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['another shape', encodeCursor([1, 'a'])],
    ['too little', encodeCursor(['a'])],
    ['too much', encodeCursor(['a', 1, 2])],
    ['an operator', encodeCursor([{ $gt: '' }, 1])],
  ])('is refused when it is %s', (_what, cursor) => {
    expect(() => decodeCursor(cursor, schema)).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        errors: [expect.objectContaining({ path: 'cursor' })],
      }),
    );
  });
});
