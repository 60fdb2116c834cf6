import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'workerman-ts';

const FOLDER = process.env.UPLOAD_FOLDER ?? fileURLToPath(new URL('./uploads', import.meta.url));

/**
 * Writes a file into the upload folder. Of a name with a path only the last part counts, whichever system it is from.
 * @returns its path, null when the name is none or the disk does not want it
 */
export async function saveFile(name: string, data: Buffer): Promise<string | null> {
  const baseName = name.split(/[/\\]/).at(-1)!;
  if (baseName === '' || baseName === '.' || baseName === '..' || baseName.includes('\0')) return null;
  const path = join(FOLDER, baseName);
  try {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(path, data);
    return path;
  } catch (error) {
    Worker.log(`${JSON.stringify(baseName)} can not be saved: ${error}`);
    return null;
  }
}
