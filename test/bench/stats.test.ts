import { ratesOf } from '../../bench/harness/stats';

it('counts the responses of each part by the second, and leaves out those after the last part', () => {
  const doneAt = [0, 500, 1_999, 2_000, 3_500, 4_000];
  expect(ratesOf(doneAt, 2, 2)).toEqual([1.5, 1]);
});
