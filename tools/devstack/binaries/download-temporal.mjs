// Usage: node download-temporal.mjs <folder> <version>
// Prints the path of the Temporal CLI that @temporalio/testing downloads. It has no function that only
// downloads, so this starts a server and stops it again.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [folder, version] = process.argv.slice(2);
try {
  const executable = {
    type: 'cached-download',
    downloadDir: folder,
    version: `v${version}`,
  };
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable },
  });
  await environment.teardown();
  const [name] = (await readdir(folder)).filter((file) => file.startsWith('temporal'));
  console.log(join(folder, name));
} catch (error) {
  console.error(
    String(error.message ?? error)
      .split(': ')
      .slice(-2)
      .join(': '),
  ); // the rest repeats the address
  process.exitCode = 1;
}
