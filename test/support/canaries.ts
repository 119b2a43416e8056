import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Text that is nowhere else, by the name of what it stands for. */
export class Canaries {
  private readonly texts = new Map<string, string>();

  /** A new one; its text is safe in every field. */
  make(name: string): string {
    return this.add(name, `canary${randomBytes(8).toString('hex')}`);
  }

  /** Something that was given out, such as a token. */
  add(name: string, text: string): string {
    this.texts.set(name, text);
    return text;
  }

  get names(): string[] {
    return [...this.texts.keys()];
  }

  /** The names of those that are in there, as they are or in base64. */
  foundIn(bytes: Buffer | string): string[] {
    const haystack = Buffer.from(bytes as string);
    const isIn = (text: string) => formsOf(text).some((form) => haystack.includes(form));
    return [...this.texts].filter(([, text]) => isIn(text)).map(([name]) => name);
  }

  /** What is found in each file of a folder whose name matches, as `file: name`. */
  async foundInFiles(folder: string, pattern: RegExp): Promise<string[]> {
    const files = (await readdir(folder)).filter((file) => pattern.test(file));
    if (files.length === 0) throw new Error(`There is no ${String(pattern)} in ${folder}.`);
    const found = files.map(async (file) =>
      this.foundIn(await readFile(join(folder, file))).map((name) => `${file}: ${name}`),
    );
    return (await Promise.all(found)).flat();
  }
}

/** Base64 of a text depends on where it begins: in the first, second or third byte of a group. */
export function formsOf(text: string): string[] {
  const shifted = [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]);
    const whole = Math.floor((bytes.length * 8) / 6);
    return bytes.toString('base64').slice(Math.ceil((shift * 8) / 6), whole);
  });
  return [text, ...shifted, ...shifted.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
