import { createOutput } from '../output';
import { messageOf } from '../project';
import { placeDemoOrder } from './start/demo-order';
import { readOptions } from './start/options';

/** `npm run demo`: places the demo order once more, at the API that `npm start` runs with the same environment. */
async function main(): Promise<void> {
  const output = createOutput();
  const { baseUrl } = readOptions(process.env, process.argv.slice(2));
  const { order } = await placeDemoOrder({ baseUrl }, output);
  if (order?.temporalUrl) output.line(`\nIn Temporal: ${order.temporalUrl}`);
}

main().catch((error: unknown) => {
  console.error(`npm run demo: ${messageOf(error)} (the API is that of \`npm start\`: is it running?)`);
  process.exitCode = 1;
});
