import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'supply-chain-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs one of the scripts, and returns what it said and its exit code. */
async function runScript(name: string, args: string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(process.execPath, [join('scripts', name), ...args], { env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

describe('the check of the lockfile', () => {
  const integrity = `sha512-${'A'.repeat(86)}==`;
  const check = (dependencies: object, entry: object) => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies }));
    const packages = { '': {}, 'node_modules/koa': entry };
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
    return runScript('check-lockfile.mjs', [folder]);
  };

  it('passes exact versions with their hashes', async () => {
    expect(await check({ koa: '3.3.0', ts: 'npm:@a/b@6.0.2' }, { integrity })).toMatchObject({ code: 0 });
  });

  it.each([
    ['a range', { koa: '^3.3.0' }, { integrity }, 'koa is "^3.3.0"'],
    ['a tag', { koa: 'latest' }, { integrity }, 'koa is "latest"'],
    ['a repository', { koa: 'github:koajs/koa' }, { integrity }, 'koa is "github:koajs/koa"'],
    ['no hash', { koa: '3.3.0' }, {}, 'has no SHA-512'],
    ['a weak hash', { koa: '3.3.0' }, { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, 'has no SHA-512'],
    [
      'another source',
      { koa: '3.3.0' },
      { integrity, resolved: 'git+ssh://example.com/koa' },
      'comes from git',
    ],
    ['a link', { koa: '3.3.0' }, { integrity, link: true }, 'comes from a link'],
  ])('refuses %s', async (_what, dependencies, entry, reason) => {
    const { code, said } = await check(dependencies, entry);
    expect(code).toBe(1);
    expect(said).toContain(reason);
  });
});

describe('the audit', () => {
  const ID = 'GHSA-aaaa-bbbb-cccc';
  let registry: Server;
  let findings: object | undefined;
  beforeEach(async () => {
    registry = createServer(({ method, url }, res) => {
      res.writeHead(findings ? 200 : 405, { 'Content-Type': 'application/json' });
      // npm posts the list of packages, and then reads those concerned.
      const name = decodeURIComponent(url!.slice(1));
      res.end(JSON.stringify(method === 'POST' ? (findings ?? {}) : { name, versions: {} }));
    });
    await once(registry.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => void registry.close());

  const audit = (explained: object, ...args: string[]) => {
    const exceptions = join(folder, 'exceptions.json');
    writeFileSync(exceptions, JSON.stringify(explained));
    const address = `--registry=http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
    return runScript('audit.mjs', [address, ...args], { ...process.env, AUDIT_EXCEPTIONS: exceptions });
  };
  const finding = {
    koa: [
      {
        id: 1,
        url: `https://github.com/advisories/${ID}`,
        title: 'Something',
        severity: 'high',
        vulnerable_versions: '*',
        cwe: [],
        cvss: { score: 7, vectorString: null },
      },
    ],
  };

  it('passes when nothing is known', async () => {
    findings = {};
    expect(await audit({})).toMatchObject({ code: 0, said: expect.stringContaining('0 known') as string });
  });

  it('fails for a finding, unless it is explained', async () => {
    findings = finding;
    const { code, said } = await audit({});
    expect(said).toContain(`FINDING  ${ID}  high  koa: Something`);
    expect(code).toBe(1);
    expect(await audit({ [ID]: 'not reachable' })).toMatchObject({
      code: 0,
      said: expect.stringContaining('not reachable') as string,
    });
  });

  it('fails for an explanation without a finding', async () => {
    findings = {};
    expect(await audit({ [ID]: 'not reachable' })).toMatchObject({ code: 1 });
  });

  it('says when the registry does not answer audits, which only counts when it has to', async () => {
    findings = undefined;
    const { code, said } = await audit({});
    expect(said).toContain('no audit');
    expect(code).toBe(0);
    expect(await audit({}, '--required')).toMatchObject({ code: 2 }); // which CI tells from findings
  });
});

it('the bill of materials has what runs in production, and nothing else', async () => {
  expect(await runScript('sbom.mjs', [])).toMatchObject({ code: 0 });
  const { bomFormat, metadata, components } = JSON.parse(readFileSync('sbom.cdx.json', 'utf8')) as {
    bomFormat: string;
    metadata: { component: { name: string } };
    components: { name: string; hashes: { alg: string }[] }[];
  };
  expect([bomFormat, metadata.component.name]).toEqual(['CycloneDX', 'orders-management-system']);
  const names = components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['koa', 'mongoose', '@temporalio/client']));
  expect(names).not.toContain('jest');
  expect(components.every(({ hashes }) => hashes.some(({ alg }) => alg === 'SHA-512'))).toBe(true);
});
