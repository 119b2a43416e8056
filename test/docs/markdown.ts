import { readFileSync } from 'node:fs';

/** A fenced block of a Markdown page. */
export interface Block {
  /** The first word after the fence, such as `sh`. */
  language: string;
  /** The rest of the line after the fence. */
  marker: string;
  /** The line of the opening fence, counted from 1. */
  line: number;
  text: string;
}

const FENCE = /^ *```+(\S*) *(.*)$/;

export function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let open: { block: Block; lines: string[] } | undefined;
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((content, index) => {
      const [, language, marker] = FENCE.exec(content) ?? [];
      if (language === undefined) return open?.lines.push(content);
      if (!open) {
        open = { block: { language, marker: marker!, line: index + 1, text: '' }, lines: [] };
        return;
      }
      blocks.push({ ...open.block, text: open.lines.join('\n') });
      open = undefined;
    });
  return blocks;
}
