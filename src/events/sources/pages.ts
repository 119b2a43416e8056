/** How many documents are looked at together when events are missing. */
const PAGE = 100;

/** Yields documents as pages, so that much is read with few queries, and it is seen that something is done. */
export async function* pagesOf<T>(found: AsyncIterable<T>): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const one of found) {
    page.push(one);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
