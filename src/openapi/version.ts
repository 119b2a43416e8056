import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** From `src/openapi` (Jest), and from `dist/src/openapi`. Importing it would put a copy into `dist`. */
const FILE = ['../..', '../../..'].map((up) => join(__dirname, up, 'package.json')).find(existsSync)!;

/** The version in package.json. */
export const { version: VERSION } = JSON.parse(readFileSync(FILE, 'utf8')) as { version: string };
