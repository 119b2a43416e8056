import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { cacheFolder } from '../../tools/cache';
import { createOwnedFolder, removeFolder } from '../../tools/owned-folder';
import { messageOf, SetupError } from '../../tools/project';
import { lastLine, run } from '../../tools/run';

const INSTALL_MS = 580_000;
const STAGING_PREFIX = 'helm-staging-';

/** Built from the Go module proxy, and checked by Go against its checksum database. */
const HELM = { name: 'helm', module: 'helm.sh/helm/v3/cmd/helm', version: 'v3.22.0' };
const KUBECONFORM = {
  name: 'kubeconform',
  module: 'github.com/yannh/kubeconform/cmd/kubeconform',
  version: 'v0.8.0',
};
const KEDA = {
  module: 'github.com/kedacore/keda/v2',
  version: 'v2.21.0',
  sum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
};
/** The schemas of Kubernetes, repackaged by a third party, since the usual ones come from a repository only. */
const SCHEMAS =
  'kubernetes-validate==1.37.0 --hash=sha256:85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9\n';
/** The oldest version that Chart.yaml allows, and the newest that there are schemas of. */
export const KUBERNETES = ['1.30.0', '1.37.0'];

export interface Tools {
  helm: string;
  kubeconform: string;
  /** A folder with one of schemas for each of KUBERNETES, and one for `keda`. */
  schemas: string;
}

/**
 * What is on PATH, else in the user's cache, else made once.
 * @throws {SetupError} when that is not possible here
 */
export async function findTools(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<Tools> {
  const cache = cacheFolder(env);
  await mkdir(cache, { recursive: true });
  const key = createHash('sha256')
    .update(JSON.stringify([SCHEMAS, KUBERNETES, KEDA, 1]))
    .digest('hex');
  const schemas = join(cache, `kubernetes-schemas-${key.slice(0, 12)}`);
  const once = async (path: string, make: (staging: string) => Promise<string>) => {
    if (existsSync(path)) return path;
    say(`${path}: making it, which takes some minutes the first time …`);
    const staging = await createOwnedFolder(cache, STAGING_PREFIX);
    try {
      await rename(await make(staging), path).catch((error: unknown) => {
        if (!existsSync(path)) throw error; // else another process was faster, with the same
      });
      return path;
    } finally {
      await removeFolder(staging);
    }
  };
  const program = async ({ name, module, version }: typeof HELM, isRight: (version: string) => boolean) => {
    const { stdout } = await attempt(name, [name === 'helm' ? 'version' : '-v'], env);
    if (isRight(stdout)) return name;
    return once(join(cache, `${name}-${version}-${process.platform}-${process.arch}`), async (staging) => {
      await go(['install', `${module}@${version}`], { ...env, GOBIN: staging });
      return join(staging, name);
    });
  };
  return {
    helm: await program(HELM, (version) => /Version:"?v[34]\./.test(version)),
    kubeconform: await program(KUBECONFORM, (version) => /^v?0\.[6-9]/.test(version)),
    schemas: await once(schemas, (staging) => makeSchemas(staging, env)),
  };
}

async function makeSchemas(staging: string, env: NodeJS.ProcessEnv): Promise<string> {
  const target = join(staging, 'schemas');
  const requirements = join(staging, 'requirements.txt');
  await writeFile(requirements, SCHEMAS);
  const options = ['--quiet', '--disable-pip-version-check', '--root-user-action=ignore', '--no-deps'];
  const pip = ['install', ...options, '--require-hashes', '--only-binary', ':all:', '--target', staging];
  await succeed('python3', ['-m', 'pip', ...pip, '-r', requirements], env);
  for (const version of KUBERNETES) {
    const source = join(staging, 'kubernetes_validate', 'kubernetes-json-schema', `v${version}-local-strict`);
    await mkdir(join(target, version), { recursive: true });
    for (const name of await readdir(source)) {
      const text = await readFile(join(source, name), 'utf8');
      // Their names are addresses on the network; as files beside each other they need none.
      const { $id: _, ...schema } = JSON.parse(
        text.replaceAll('"/api/_definitions.json#', '"_definitions.json#'),
      ) as {
        $id?: string;
      };
      await writeFile(join(target, version, name), JSON.stringify(schema));
    }
  }
  await makeKedaSchemas(join(target, 'keda'), env);
  return target;
}

interface CustomResourceDefinition {
  spec: {
    group: string;
    names: { singular: string };
    versions: { name: string; schema: { openAPIV3Schema: object } }[];
  };
}

async function makeKedaSchemas(target: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { stdout } = await go(['mod', 'download', '-json', `${KEDA.module}@${KEDA.version}`], env);
  const { Dir: folder, Sum: sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
  if (sum !== KEDA.sum) throw new SetupError(`${KEDA.module} has the hash ${sum}, not ${KEDA.sum}`);
  await mkdir(target, { recursive: true });
  for (const plural of ['scaledobjects', 'triggerauthentications']) {
    const text = await readFile(join(folder, 'config', 'crd', 'bases', `keda.sh_${plural}.yaml`), 'utf8');
    const { group, names, versions } = (parse(text) as CustomResourceDefinition).spec;
    for (const { name, schema } of versions) {
      const file = `${names.singular}-${group.split('.')[0]}-${name}.json`;
      await writeFile(join(target, file), JSON.stringify(strict(schema.openAPIV3Schema)));
    }
  }
}

/** The server prunes unknown fields; here they are mistakes. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, strict(value)] as const);
  const isClosed = 'properties' in schema && !('additionalProperties' in schema);
  return { ...Object.fromEntries(entries), ...(isClosed && { additionalProperties: false }) };
}

const go = (args: string[], env: NodeJS.ProcessEnv) =>
  succeed('go', args, { ...env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' });

async function succeed(command: string, args: string[], env: NodeJS.ProcessEnv) {
  const result = await attempt(command, args, env);
  if (result.code === 0) return result;
  throw new SetupError(`${command} ${args.slice(0, 2).join(' ')}: ${lastLine(result.stderr)}`);
}

/** A program that is not there fails like one that does not work. */
function attempt(command: string, args: string[], env: NodeJS.ProcessEnv) {
  return run(command, args, { env, timeoutMs: INSTALL_MS }).catch((error: unknown) => ({
    code: 1,
    stdout: '',
    stderr: messageOf(error),
  }));
}
