/** Server-Sent Events of a response: `EventSource` cannot send an access token. */

/** @typedef {{ id: string, data: string }} StreamEvent */

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<StreamEvent>}
 */
export async function* eventsIn(body) {
  let rest = '';
  let id = '';
  for await (const text of chunksOf(body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = fieldsOf(block);
      id = fields.id ?? id;
      if (fields.data !== undefined) yield { id, data: fields.data };
    }
  }
}

/**
 * Not every browser can iterate over a stream.
 * @param {ReadableStream<string>} stream
 */
async function* chunksOf(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/**
 * @param {string} block
 * @returns {Record<string, string>} a comment has an empty name
 */
function fieldsOf(block) {
  const lines = block.split('\n').map((line) => /^([^:]*):? ?(.*)$/.exec(line) ?? ['', '', '']);
  return Object.fromEntries(lines.map(([, name, value]) => [name, value]));
}
