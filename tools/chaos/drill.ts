import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT, SetupError } from '../project';
import { run } from '../run';

/** One step of a procedure in the documentation: a sentence in bold, which someone does, or a script. */
export type DrillStep = { act: string; script?: never } | { script: string; act?: never };

const PAGE = join(PROJECT_ROOT, 'docs', 'disaster-recovery.md');
const ACT = /^\d+\. \*\*(.+?)\.\*\*/;
const FENCE = /^ *```(.*)$/;
/** The marker of the blocks that are run here, and not by the tests of the documentation. */
const MARKER = 'sh drill';

/** Returns the steps under a heading of the page, in their order. */
export async function drillOf(heading: string): Promise<DrillStep[]> {
  const [, section] = (await readFile(PAGE, 'utf8')).split(`\n## ${heading}\n`);
  if (section === undefined) throw new SetupError(`${PAGE} has no heading ${heading}`);
  const steps: DrillStep[] = [];
  let block: { marker: string; lines: string[] } | undefined;
  for (const line of section.split(/^## /m)[0]!.split('\n')) {
    const fence = FENCE.exec(line);
    if (fence && block) {
      if (block.marker === MARKER) steps.push({ script: block.lines.join('\n') });
      block = undefined;
    } else if (fence) block = { marker: fence[1]!, lines: [] };
    else if (block) block.lines.push(line);
    else {
      const act = ACT.exec(line)?.[1];
      if (act !== undefined) steps.push({ act });
    }
  }
  return steps;
}

/**
 * Follows the page as a person would.
 * @param acts what is done by hand, by the words of the page
 * @throws {SetupError} a command has failed, or the page has something else done than is known
 */
export async function followDrill(
  heading: string,
  {
    acts,
    env,
    tell,
    signal,
  }: {
    acts: Readonly<Record<string, () => Promise<void>>>;
    env: NodeJS.ProcessEnv;
    tell: (step: string) => void;
    signal: AbortSignal;
  },
): Promise<void> {
  for (const { act, script } of await drillOf(heading)) {
    signal.throwIfAborted();
    tell(act ?? script.trim().split('\n')[0]!);
    if (act === undefined) {
      const options = { cwd: PROJECT_ROOT, env, signal };
      const { code, stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', script], options);
      if (code !== 0) throw new SetupError(`${script}\nended with ${code}:\n${stdout}\n${stderr}`);
      continue;
    }
    if (!acts[act]) throw new SetupError(`Nobody knows how to do what ${PAGE} says: ${act}`);
    await acts[act]();
  }
}
