import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file of so many bytes, in a folder of its own. */
export class BigFile {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'big-file-'));
  readonly path: string = join(this.folder, 'big.bin');

  constructor(bytes: number) {
    const fd = openSync(this.path, 'w');
    const piece = Buffer.alloc(1 << 20, 'abcdefghijklmnop');
    for (let left = bytes; left > 0; left -= piece.length) writeSync(fd, piece, 0, Math.min(left, piece.length));
    closeSync(fd);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A client that asks for something and then takes next to nothing of it. */
export class SlowReader {
  readonly socket: Socket;
  received = 0;

  constructor(port: number, request: string) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.socket.on('readable', () => {});
    this.socket.write(request);
  }

  /** Takes at most so many bytes of what has come. */
  take(bytes: number): number {
    const data = this.socket.read(Math.min(bytes, this.socket.readableLength)) as Buffer | null;
    this.received += data?.length ?? 0;
    return data?.length ?? 0;
  }
}
