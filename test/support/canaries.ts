import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Unique texts that stand for personal data, by name, to find out where they leak. */
export class Canaries {
  private readonly texts = new Map<string, string>();

  /** Creates a text that every field accepts. */
  make(name: string): string {
    return this.add(name, `canary${randomBytes(8).toString('hex')}`);
  }

  /** Adds an existing text, for example a token. */
  add(name: string, text: string): string {
    this.texts.set(name, text);
    return text;
  }

  get names(): string[] {
    return [...this.texts.keys()];
  }

  /** Returns the names of the texts that the bytes contain, plain or in base64. */
  foundIn(bytes: Buffer | string): string[] {
    const haystack = Buffer.from(bytes as string);
    const isIn = (text: string) => formsOf(text).some((form) => haystack.includes(form));
    return [...this.texts].filter(([, text]) => isIn(text)).map(([name]) => name);
  }

  /** Returns all finds in the matching files of a folder, as `file: name`. */
  async foundInFiles(folder: string, pattern: RegExp): Promise<string[]> {
    const files = (await readdir(folder)).filter((file) => pattern.test(file));
    if (files.length === 0) throw new Error(`No file in ${folder} matches ${String(pattern)}.`);
    const found = files.map(async (file) =>
      this.foundIn(await readFile(join(folder, file))).map((name) => `${file}: ${name}`),
    );
    return (await Promise.all(found)).flat();
  }
}

/**
 * Returns a text and its forms in base64, which depend on the byte of a group of three where the text starts.
 */
export function formsOf(text: string): string[] {
  const shifted = [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]);
    const whole = Math.floor((bytes.length * 8) / 6);
    return bytes.toString('base64').slice(Math.ceil((shift * 8) / 6), whole);
  });
  return [text, ...shifted, ...shifted.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
