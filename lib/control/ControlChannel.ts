import { unlinkSync } from 'node:fs';
import * as net from 'node:net';
import type { ConnectionsReport, StatusReport } from './messages.js';

/**
 * The unix socket over which commands reach the master: one request, one answer, each a line of JSON. A socket instead
 * of signals, because Node claims SIGUSR1 for its inspector and a signal brings no answer.
 */

/** What a command asks of the master. */
export type ControlRequest =
  | { command: 'ping' }
  | { command: 'stop'; graceful: boolean }
  | { command: 'reload'; graceful: boolean }
  | { command: 'status' }
  | { command: 'connections' };

/** What the master answers. */
export interface ControlAnswer {
  pid: number;
  status?: StatusReport;
  connections?: ConnectionsReport;
}

const LONGEST_REQUEST = 4096;

/** The master's end. */
export class ControlServer {
  readonly #path: string;
  readonly #server: net.Server;

  constructor(path: string, answer: (request: ControlRequest) => Promise<ControlAnswer>) {
    this.#path = path;
    this.#server = net.createServer((socket) => serve(socket, answer));
    this.#server.unref();
  }

  /** Opens the socket, mode 0600. A file left over from a master that was killed is replaced. */
  async open(): Promise<void> {
    try {
      unlinkSync(this.#path);
    } catch {
      // There was none.
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      // Bound while only the owner may write, so that there is no moment in which others could connect.
      const umask = process.umask(0o177);
      try {
        this.#server.listen(this.#path, resolve);
      } finally {
        process.umask(umask);
      }
    });
    this.#server.on('error', () => {});
  }

  /** Closes the socket and removes its file. */
  close(): void {
    this.#server.close();
  }
}

function serve(socket: net.Socket, answer: (request: ControlRequest) => Promise<ControlAnswer>): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0) {
      if (text.length > LONGEST_REQUEST) socket.destroy();
      return;
    }
    let request: ControlRequest;
    try {
      request = JSON.parse(text.slice(0, end)) as ControlRequest;
    } catch {
      socket.destroy();
      return;
    }
    text = '';
    answer(request).then(
      (reply) => socket.end(`${JSON.stringify(reply)}\n`),
      () => socket.destroy(),
    );
  });
}

/** `absent`: nobody listens. `silent`: somebody does and gave no answer in time (stopped, or busy). */
export type AskResult = { kind: 'answer'; answer: ControlAnswer } | { kind: 'absent' } | { kind: 'silent' };

/** Asks the master behind a control socket. Never rejects. */
export function askMaster(path: string, request: ControlRequest, timeoutMs: number): Promise<AskResult> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    let text = '';
    let connected = false;
    const finish = (result: AskResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish({ kind: connected ? 'silent' : 'absent' }), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => {
      connected = true;
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => finish({ kind: connected ? 'silent' : 'absent' }));
    socket.on('end', () => {
      try {
        finish({ kind: 'answer', answer: JSON.parse(text) as ControlAnswer });
      } catch {
        finish({ kind: 'silent' });
      }
    });
  });
}
