import { readFileSync } from 'node:fs';

/** The package's own version. The manifest lies one folder up in the sources and two in the built package. */
export const VERSION: string = readVersion();

function readVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as { version?: string };
      if (typeof manifest.version === 'string') return manifest.version;
    } catch {
      // Not there: try the next place.
    }
  }
  return '0.0.0';
}
