import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenApiDocument } from '../../src/openapi/document';
import { DEMO_PASSWORD } from '../../src/users/demo-users';
import { startDemoStack } from '../devstack/demo-stack';
import { OPENAPI_FILE, printedOpenApi } from '../openapi';
import { breakingChanges } from '../openapi-changes';
import { createOutput, secondsSince, type Output } from '../output';
import { removeFolder } from '../owned-folder';
import { messageOf, SetupError } from '../project';
import { pythonPackages } from '../python';
import { buildClient, GENERATED_CLIENTS, must } from './generated-clients';
import { httpyac, sendRequests } from './requests-http';

/** Exact versions with their hashes; the first line of the file says how it is made. */
const REQUIREMENTS = join(__dirname, 'requirements.txt');

/** Something to try on a running system. */
interface Trial {
  name: string;
  try(baseUrl: string): Promise<string>;
}

const output = createOutput();
let failures = 0;

/**
 * `npm run test:clients`: clients that openapi-generator makes of the OpenAPI document compile and lead an order through
 * its life, and docs/requests.http works from start to end, on a running system.
 */
async function main(): Promise<void> {
  const start = Date.now();
  const folder = await mkdtemp(join(tmpdir(), 'orders-clients-'));
  await step('docs/openapi.json: no change that breaks a client', requireCompatible);
  const trials = [...(await clientsIn(folder, output)), ...(await requests(folder, output))];
  const logs = join(folder, 'logs');
  await mkdir(logs);
  const stack = await startDemoStack(logs, output, new AbortController().signal);
  try {
    for (const { name, try: attempt } of trials) await step(name, () => attempt(stack.baseUrl));
    for (const death of stack.deaths) fail('the system', death);
  } finally {
    await stack.stop();
  }
  if (failures === 0) await removeFolder(folder);
  output.line(`${failures === 0 ? '' : `The clients and logs are in ${folder}. `}${secondsSince(start)}`);
  process.exit(failures === 0 ? 0 : 1);
}

/** @throws {Error} if the document would break clients of the committed one, or if such a change were not found */
async function requireCompatible(): Promise<void> {
  const committed = await readFile(OPENAPI_FILE, 'utf8');
  const breaking = await breakingChanges(committed, printedOpenApi(), output);
  if (breaking.length > 0) throw new Error(`${breaking.join('\n')}\nIf they are meant: npm run docs:openapi`);
  const without = JSON.parse(committed) as OpenApiDocument;
  const { properties, required } = without.components.schemas.Order as unknown as {
    properties: object;
    required: string[];
  };
  Object.assign(properties, { number: undefined });
  required.splice(required.indexOf('number'), 1);
  if ((await breakingChanges(committed, JSON.stringify(without), output)).length === 0)
    throw new Error('oasdiff does not find that a field is missing.');
}

async function clientsIn(folder: string, output: Output): Promise<Trial[]> {
  const packages = await step('openapi-generator', () =>
    pythonPackages('openapi-clients', REQUIREMENTS, process.env, output),
  );
  if (!packages) return [];
  const document = join(folder, 'openapi.json');
  await writeFile(document, printedOpenApi());
  const trials: Trial[] = [];
  for (const client of GENERATED_CLIENTS) {
    const { language } = client;
    const built = await step(`${language}: generating and compiling a client`, () =>
      buildClient(client, document, join(folder, language.toLowerCase()), packages),
    );
    if (!built) continue;
    const { command, args, options } = built;
    trials.push({
      name: `${language}: an order's life`,
      try: (baseUrl) => {
        const env = { ...(options.env ?? process.env), API_URL: baseUrl, DEMO_PASSWORD };
        return must(command, args, { ...options, env });
      },
    });
  }
  return trials;
}

async function requests(folder: string, output: Output): Promise<Trial[]> {
  const program = await step('httpyac', () => httpyac(output));
  if (program === undefined) return [];
  return [
    {
      name: 'docs/requests.http',
      try: async (baseUrl) => `${await sendRequests(program, baseUrl, join(folder, 'requests'))} requests`,
    },
  ];
}

/** Does something and says how it ended. Returns undefined if it failed, or cannot be done here. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
  const start = Date.now();
  try {
    const result = await work();
    output.line(`passed   ${name}, ${secondsSince(start)}`);
    return result;
  } catch (error) {
    if (error instanceof SetupError) output.line(`SKIPPED  ${name}: ${error.message}`);
    else fail(name, messageOf(error));
    return undefined;
  }
}

function fail(name: string, how: string): void {
  failures++;
  output.line(`FAILED   ${name}: ${how}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof SetupError ? `npm run test:clients: ${error.message}` : error);
  process.exit(1);
});
