import { release, type } from 'node:os';
import type { Versions } from './screens/table.js';
import { VERSION } from './version.js';

/** What this process runs on, for the screens. */
export function versions(): Versions {
  return { version: VERSION, node: process.versions.node, os: `${type()}/${release()}` };
}
