import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

const EXECUTABLES = ['chromium', 'chromium-browser', 'google-chrome'];

export interface TestBrowser {
  page: Page;
  /** All faults so far: warnings and errors on the console, failed requests, requests to other hosts. */
  faults: string[];
  close(): Promise<void>;
}

/** Returns the path of a Chromium on PATH, or undefined. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => EXECUTABLES.map((name) => join(folder, name))).find(isExecutable);
}

/** Starts a headless Chromium with a new profile. */
export async function openBrowser(
  executablePath: string,
  { origin }: URL,
  options: BrowserContextOptions = {},
): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-quic'] });
  const context = await browser.newContext({ viewport: { width: 1_300, height: 1_000 }, ...options });
  return {
    page: await context.newPage(),
    faults: faultsOf(context, origin),
    close: () => browser.close(),
  };
}

function faultsOf(context: BrowserContext, origin: string): string[] {
  const faults: string[] = [];
  context.on('console', (message) => {
    const type = message.type();
    if (type === 'error' || type === 'warning') faults.push(`console ${type}: ${message.text()}`);
  });
  context.on('weberror', (error) => faults.push(`uncaught: ${error.error().message}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    const isRemote = url.protocol !== 'data:' && url.protocol !== 'blob:';
    if (isRemote && url.origin !== origin) faults.push(`request to another host: ${url.href}`);
  });
  context.on('requestfailed', (request) => {
    faults.push(`failed: ${request.url()} (${request.failure()?.errorText})`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) faults.push(`status ${response.status()}: ${response.url()}`);
  });
  return faults;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
