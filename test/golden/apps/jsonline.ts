import { Worker } from 'workerman-ts';
import { address } from './support/address.js';
import { json } from './support/json.js';

const LONGEST_LINE = 1024;

/** A protocol of the application: one JSON text a line. */
class JsonLine {
  static input(buffer: Buffer): number {
    const end = buffer.indexOf('\n');
    if (end < 0) return buffer.length > LONGEST_LINE ? -1 : 0;
    return end > LONGEST_LINE ? -1 : end + 1;
  }

  static decode(buffer: Buffer): unknown {
    try {
      return JSON.parse(buffer.toString().replace(/[\r\n]+$/, ''));
    } catch {
      return null;
    }
  }

  static encode(data: unknown): string {
    return data === null ? '' : `${json(data)}\n`;
  }
}

interface Order {
  op: string;
  value?: unknown;
  values?: number[];
}

const isOrder = (data: unknown): data is Order => typeof data === 'object' && data !== null && 'op' in data;

const worker = new Worker(`tcp://${address}`);
worker.protocol = JsonLine;
worker.onMessage = (connection, data: unknown) => {
  if (!isOrder(data)) return connection.send({ error: 'bad request' });
  switch (data.op) {
    case 'echo':
      return connection.send({ echo: data.value ?? null });
    case 'add':
      return connection.send({ sum: (data.values ?? []).reduce((sum, value) => sum + value, 0) });
    case 'silent':
      return connection.send(null);
    case 'raw':
      return connection.send('raw!\n', true);
    case 'close':
      return connection.close({ bye: true });
    case 'two':
      connection.send([1]);
      return connection.send([2]);
    default:
      return connection.send({ error: 'unknown op' });
  }
};

Worker.runAll();
