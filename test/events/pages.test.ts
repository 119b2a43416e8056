import { pagesOf } from '../../src/events/sources/pages';

async function* documents(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield n;
}

it.each([
  [0, []],
  [99, [99]],
  [100, [100]],
  [250, [100, 100, 50]],
])('yields each of %i documents once, in pages of %j', async (count, sizes) => {
  const pages: number[][] = [];
  for await (const page of pagesOf(documents(count))) pages.push(page);
  expect(pages.map(({ length }) => length)).toEqual(sizes);
  expect(pages.flat()).toEqual(Array.from({ length: count }, (_, n) => n));
});
