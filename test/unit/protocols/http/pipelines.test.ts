import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import type { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import { readAnswers } from '../../../support/answers.js';
import { cutAt } from '../../../support/feed.js';
import { catchReports, closeAll, until } from '../../connection/peers.js';
import { client, make, withWorkers } from '../../lib/madeWorkers.js';

const FILE = 'abcdefghij'.repeat(260_000);

/** One request: what it asks for, its number, and what its handler waits for in turns of the event loop. */
interface Asked {
  kind: 'text' | 'file' | 'part' | 'stream' | 'readable' | 'web' | 'chunks' | 'upload' | 'echo' | 'form' | 'head' | 'none';
  turns: number;
}

const KINDS: Asked['kind'][] = ['text', 'file', 'part', 'stream', 'readable', 'web', 'chunks', 'upload', 'echo', 'form', 'head', 'none'];

const methodOf = ({ kind }: Asked): string => {
  if (kind === 'head') return 'HEAD';
  return kind === 'upload' || kind === 'echo' || kind === 'form' ? 'POST' : 'GET';
};

const bodyOf = ({ kind }: Asked, i: number): string => {
  if (kind === 'upload') return `upload ${i} `.repeat(3000);
  if (kind === 'echo') return `echo ${i} `.repeat(5000);
  return kind === 'form' ? `--B\r\nContent-Disposition: form-data; name="f"; filename="${i}.txt"\r\n\r\nfile ${i}\r\n--B--\r\n` : '';
};

function question(asked: Asked, i: number): string {
  const body = bodyOf(asked, i);
  const start = `${methodOf(asked)} /${asked.kind}/${i}/${asked.turns} HTTP/1.1\r\nHost: h\r\n`;
  if (asked.kind === 'form') return `${start}Content-Type: multipart/form-data; boundary=B\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  if (asked.kind === 'upload') return `${start}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  return body === '' ? `${start}\r\n` : `${start}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** The body of the answer. */
function wanted(asked: Asked, i: number): string {
  switch (asked.kind) {
    case 'file': return FILE;
    case 'part': return FILE.slice(i, i + 100);
    case 'upload': return `${i}: ${bodyOf(asked, i).length}`;
    case 'echo': return bodyOf(asked, i);
    case 'form': return `${i}.txt`;
    case 'head': case 'none': return '';
    default: return `${asked.kind} ${i}`;
  }
}

describe('pipelined requests with async handlers', function () {
  this.timeout(60_000);
  const reports = catchReports();
  withWorkers();
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipelines-'));
    writeFileSync(join(folder, 'file.txt'), FILE);
  });
  after(() => rmSync(folder, { recursive: true }));

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  async function* pieces(text: string): AsyncGenerator<string> {
    for (const word of text.split(/(?<= )/)) {
      yield word;
      await turn();
    }
  }

  async function handle(connection: TcpConnection, request: Request): Promise<void> {
    const [, kind, i, turns] = request.path().split('/') as [string, Asked['kind'], string, string];
    for (let n = Number(turns); n > 0; n--) await turn();
    const text = `${kind} ${i}`;
    switch (kind) {
      case 'file': return void connection.send(new Response().withFile(join(folder, 'file.txt')));
      case 'part': return void connection.send(new Response().withFile(join(folder, 'file.txt'), Number(i), 100));
      case 'stream': return void connection.send(new Response(200, {}, pieces(text)));
      case 'readable': return void connection.send(new Response(200, {}, Readable.from(pieces(text))));
      case 'web': return void connection.send(new globalThis.Response(text));
      case 'upload': return void connection.send(`${i}: ${(await request.readBody()).length}`);
      case 'echo': return void connection.send(new Response(200, {}, request.body));
      case 'none': return void connection.send(new Response(204));
      case 'form':
        await request.readBody();
        return void connection.send(request.file<{ name: string }>('f')!.name);
      case 'chunks':
        connection.send(new Response(200, { 'Transfer-Encoding': 'chunked' }));
        for await (const piece of pieces(text)) connection.send(new Chunk(piece));
        return void connection.send(new Chunk(''));
      default: return void connection.send(text);
    }
  }

  for (const streamBodies of [false, true]) {
    it(`are answered in order, with uploads, files and streams between them${streamBodies ? ', streamed bodies too' : ''}`, async () => {
      const asked = fc.record({ kind: fc.constantFrom(...KINDS), turns: fc.nat(4) });
      const cuts = fc.array(fc.nat(200_000), { maxLength: 5 });
      await fc.assert(fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 12 }), cuts, async (list, offsets) => {
        const worker = make('http://127.0.0.1:0');
        worker.streamBodies = streamBodies;
        worker.onMessage = handle;
        await worker.listen();
        const peer = await client(worker);
        const bytes = Buffer.from(list.map(question).join(''));
        const sent = (async () => {
          for (const piece of cutAt(bytes, offsets)) await peer.write(piece);
        })();
        const methods = list.map(methodOf);
        let answers = readAnswers('').answers;
        await until(() => (answers = readAnswers(peer.text, methods).answers).length === list.length || peer.closed);
        await sent;
        expect(answers.map(({ body }) => body)).to.deep.equal(list.map(wanted));
        worker.unlisten();
        await closeAll();
      }), { numRuns: 12 });
      expect(reports.failures).to.deep.equal([]);
    });
  }
});
