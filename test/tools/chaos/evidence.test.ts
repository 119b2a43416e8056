import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '../../../tools/chaos/report';
import { keepingEvidence } from '../../../tools/chaos/scenarios/scenario';
import { silentOutput } from '../../../tools/output';

const FINDING = { kind: 'stock_lost', means: 'Lost', subject: 'ps_1', expected: '4', found: '3' };
const NO_SERVER = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50';

describe('the evidence of a run', () => {
  let folder: string;
  let keepIn: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orders-evidence-'));
    keepIn = join(folder, 'kept');
    await mkdir(join(folder, 'logs'));
    await writeFile(join(folder, 'logs', 'api-1.log'), 'what it said');
    await writeFile(join(folder, 'first-calls.jsonl'), '{}');
  });

  afterEach(() => rm(folder, { recursive: true }));

  function keeping(run: () => Promise<Run>, signal = new AbortController().signal): Promise<Run> {
    const rig = { folder, logFolder: join(folder, 'logs'), mongodbUri: NO_SERVER };
    const options = { output: silentOutput, signal };
    return keepingEvidence(rig, { name: 'random', seed: 7, keepIn }, options, run);
  }

  const kept = (): Promise<string[]> => readdir(join(keepIn, 'random-seed-7'));

  it('is kept if the run comes to no end, or has findings, even if the servers cannot be asked any more', async () => {
    await expect(keeping(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await kept()).toEqual(['api-1.log', 'first-calls.jsonl']);
    const run = { findings: [FINDING] } as unknown as Run;
    expect(await keeping(async () => run)).toBe(run);
    expect(await kept()).toEqual(['api-1.log', 'first-calls.jsonl']);
  });
});
