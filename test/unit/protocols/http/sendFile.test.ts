import {
  chmodSync, closeSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { type AnswerContext, PLAIN_CONTEXT } from '../../../../protocols/http/encode.js';
import type { FileRequest } from '../../../../protocols/http/fileConditions.js';
import { Response } from '../../../../protocols/http/Response.js';
import { encodeFile, type FileSource, planFile } from '../../../../protocols/http/sendFile.js';
import { type ParsedAnswer, parseAnswer, valuesOf } from './answerParser.js';
import { closedIn, drain, openFilesIn } from './openFiles.js';

const TIME = 1704164645;
const DATE = 'Tue, 02 Jan 2024 03:04:05 GMT';
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';
const MIB = 1024 * 1024;
const BIG = 3 * MIB + 7;

const HEAD: AnswerContext = { ...PLAIN_CONTEXT, head: true };
const LAST: AnswerContext = { ...PLAIN_CONTEXT, close: true };

const request = (headers: Record<string, string> = {}, method: string = 'GET'): FileRequest =>
  ({ method: () => method, header: (name) => headers[name] ?? null });

describe('sendFile', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const put = (name: string, content: string | Buffer): string => {
    writeFileSync(at(name), content);
    utimesSync(at(name), TIME, TIME);
    return at(name);
  };
  const openFiles = (): string[] => openFilesIn(folder);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sendfile-'));
    chmodSync(folder, 0o755);
    put('alpha.txt', ALPHABET);
    put('data.bin', 'data');
    put('empty.txt', '');
    put('big.bin', Buffer.alloc(BIG, ALPHABET));
    mkdirSync(at('dir.txt'));
  });
  afterEach(() => closedIn(folder));
  after(() => rmSync(folder, { recursive: true }));

  /** The whole small answer. */
  const answer = (
    response: Response, asked: FileRequest | null = request(), context: AnswerContext = PLAIN_CONTEXT,
  ): ParsedAnswer => {
    const { answer: encoded, source } = encodeFile(response, asked, context);
    expect(source).to.equal(null);
    return parseAnswer(encoded.bytes);
  };
  const alpha = (offset?: number, length?: number): Response =>
    new Response().withFile(at('alpha.txt'), offset, length);

  describe('head', () => {
    it('has the lines of Workerman in its order', () => {
      const response = new Response(200, { 'X-A': ['1', '2'] }).withFile(at('alpha.txt'));
      expect(answer(response)).to.deep.equal({
        status: 'HTTP/1.1 200 OK',
        lines: ['X-A: 1', 'X-A: 2', 'Content-Length: 26', 'Accept-Ranges: bytes', 'Connection: keep-alive',
          'Content-Type: text/plain', `Last-Modified: ${DATE}`],
        body: Buffer.from(ALPHABET),
      });
    });

    it('offers unknown types as a download', () => {
      expect(answer(new Response().withFile(at('data.bin'))).lines).to.deep.equal([
        'Content-Length: 4', 'Accept-Ranges: bytes', 'Connection: keep-alive', 'Content-Type: application/octet-stream',
        'Content-Disposition: attachment; filename="data.bin"', `Last-Modified: ${DATE}`,
      ]);
    });

    it('leaves what the application set, whatever its case', () => {
      const headers = {
        'connection': 'close', 'content-type': 'application/octet-stream', 'content-disposition': 'inline',
        'last-modified': 'Mon, 01 Jan 2001 00:00:00 GMT', 'accept-ranges': 'none',
      };
      const plan = encodeFile(new Response(200, headers).withFile(at('data.bin')), request(), PLAIN_CONTEXT);
      expect(plan.answer.closes).to.equal(true);
      expect(parseAnswer(plan.answer.bytes).lines).to.deep.equal([
        'connection: close', 'content-type: application/octet-stream', 'content-disposition: inline',
        'last-modified: Mon, 01 Jan 2001 00:00:00 GMT', 'accept-ranges: none', 'Content-Length: 4',
      ]);
    });

    it('offers no download when the application chose the type or the disposition', () => {
      const typed = answer(new Response(200, { 'Content-Type': 'application/octet-stream' }).withFile(at('data.bin')));
      expect(valuesOf(typed, 'Content-Disposition')).to.deep.equal([]);
    });

    it('counts length and range itself and names no transfer coding', () => {
      const headers = { 'content-length': '1', 'transfer-encoding': 'chunked', 'content-range': 'bytes 0-0/1' };
      const part = answer(new Response(200, headers).withFile(at('alpha.txt'), 1, 2));
      expect(part.lines.slice(0, 3)).to.deep.equal([
        'Content-Length: 2', 'Accept-Ranges: bytes', 'Content-Range: bytes 1-2/26',
      ]);
      expect(part.body.toString()).to.equal('bc');
    });

    it('leaves out headers that would break a line', () => {
      const response = new Response(200, { 'X-A': 'a\r\nX-Evil: 1', 'X B': 'b', 'X-C': ['ok', 'no\0'] });
      expect(answer(response.withFile(at('alpha.txt'))).lines[0]).to.equal('X-C: ok');
      expect(String(response)).not.to.match(/Evil|X B|no\0/);
    });

    it('takes the extension from the text after the last dot of the name, with its case', () => {
      const types: Record<string, string> = {
        'page.html': 'text/html', 'a.tar.json': 'application/json', 'UPPER.TXT': 'application/octet-stream',
        '.css': 'text/css', 'dir.txt/none': 'application/octet-stream', 'dot.': 'application/octet-stream',
        'x.__proto__': 'application/octet-stream',
      };
      for (const [name, type] of Object.entries(types)) {
        expect(valuesOf(answer(new Response().withFile(put(name, 'x'))), 'Content-Type'), name).to.deep.equal([type]);
      }
    });

    it('takes what would end the quoted name out of it', () => {
      const names: Record<string, string> = {
        'quo"te.bin': 'quote.bin', 'back\\slash.bin': 'backslash.bin', 'cr\r\nX-Evil: 1\x7f\t.bin': 'crX-Evil: 1.bin',
        'ünï 你.bin': 'ünï 你.bin', '"\\\x01': 'unknown',
      };
      for (const [name, shown] of Object.entries(names)) {
        expect(valuesOf(answer(new Response().withFile(put(name, 'x'))), 'Content-Disposition'))
          .to.deep.equal([`attachment; filename="${shown}"`]);
      }
    });

    it('gives a file name no way into the head (property)', () => {
      const char = fc.constantFrom('\r', '\n', '"', '\\', ';', ':', ' ', '.', 'a', 'é', '\x01', '\x7f');
      const name = fc.array(char, { minLength: 1, maxLength: 20 }).map((chars) => `x${chars.join('')}`);
      fc.assert(fc.property(name, (text) => {
        const { lines } = answer(new Response().withFile(put(text, 'x')));
        rmSync(at(text));
        expect(lines.length).to.equal(6);
        expect(lines[4]).to.match(/^Content-Disposition: attachment; filename="[^"\\]*"$/);
      }), { numRuns: 60 });
    });

    it('floors the time of the file to whole seconds', () => {
      utimesSync(put('half.txt', 'x'), TIME + 0.9, TIME + 0.9);
      expect(valuesOf(answer(new Response().withFile(at('half.txt'))), 'Last-Modified')).to.deep.equal([DATE]);
    });

    it('keeps the status, reason and version of the response', () => {
      const response = new Response().withStatus(404, 'Gone Fishing').withProtocolVersion('1.0');
      expect(answer(response.withFile(at('alpha.txt'))).status).to.equal('HTTP/1.0 404 Gone Fishing');
    });

    it('says close on the last answer of a connection', () => {
      const { answer: encoded } = encodeFile(alpha(), request(), LAST);
      expect(valuesOf(parseAnswer(encoded.bytes), 'Connection')).to.deep.equal(['close']);
      expect(encoded.closes).to.equal(true);
    });

    it('adds the extra headers to a copy', () => {
      const response = new Response(200, { 'Set-Cookie': 'a=1' }).withFile(at('alpha.txt'));
      const { answer: encoded } = encodeFile(response, request(), PLAIN_CONTEXT, { 'Set-Cookie': 'b=2' });
      expect(valuesOf(parseAnswer(encoded.bytes), 'Set-Cookie')).to.deep.equal(['a=1', 'b=2']);
      expect(response.getHeader('Set-Cookie')).to.equal('a=1');
    });

    it('has no body bytes for HEAD, nor for a status without a body', () => {
      const plan = planFile(alpha(), request({}, 'HEAD'));
      expect(plan).to.include({ fd: null, length: 0, status: 200 });
      expect(parseAnswer(plan.head).lines).to.deep.equal(answer(alpha()).lines);
      expect(answer(alpha(), null, HEAD).body.length).to.equal(0);
      for (const status of [103, 204, 205, 304]) {
        const bare = answer(new Response(status).withFile(at('alpha.txt')));
        expect(bare.body.length).to.equal(0);
        expect(valuesOf(bare, 'Content-Length')).to.deep.equal(status === 205 ? ['0'] : []);
      }
    });
  });

  describe('part that the application asks for', () => {
    const expectPart = (response: Response, range: string, body: string): void => {
      const part = answer(response);
      expect(part.status).to.equal('HTTP/1.1 206 Partial Content');
      expect(valuesOf(part, 'Content-Range')).to.deep.equal([range]);
      expect(valuesOf(part, 'Content-Length')).to.deep.equal([String(body.length)]);
      expect(part.body.toString()).to.equal(body);
    };

    it('is a 206 with Content-Range', () => {
      expectPart(alpha(0, 1), 'bytes 0-0/26', 'a');
      expectPart(alpha(2, 3), 'bytes 2-4/26', 'cde');
      expectPart(alpha(20), 'bytes 20-25/26', 'uvwxyz');
      expectPart(new Response(404).withStatus(404, 'Own').withFile(at('alpha.txt'), 25, 1), 'bytes 25-25/26', 'z');
    });

    it('is cut to what the file has', () => {
      expectPart(alpha(24, 100), 'bytes 24-25/26', 'yz');
      expectPart(alpha(0, Infinity), 'bytes 0-25/26', ALPHABET);
    });

    it('counts a negative length as 0, with a 206', () => {
      expectPart(alpha(0, -5), 'bytes 0-25/26', ALPHABET);
      expectPart(alpha(25, -5), 'bytes 25-25/26', 'z');
    });

    it('is a 416 when it begins behind the end or before the start', () => {
      for (const response of [alpha(26), alpha(100, 5), alpha(-1), alpha(-1, 5), alpha(Infinity)]) {
        const refusal = answer(response);
        expect(refusal.status).to.equal('HTTP/1.1 416 Range Not Satisfiable');
        expect(refusal.lines).to.deep.equal([
          'Content-Length: 0', 'Accept-Ranges: bytes', 'Content-Range: bytes */26', 'Connection: keep-alive',
        ]);
        expect(refusal.body.length).to.equal(0);
      }
      expect(answer(new Response().withFile(at('empty.txt'), 1)).status).to.contain('416');
      expect(answer(new Response().withFile(at('empty.txt'), -1)).status).to.contain('416');
    });

    it('is a plain 200 of an empty file, whatever the length', () => {
      for (const length of [0, 5, -5]) {
        const empty = answer(new Response().withFile(at('empty.txt'), 0, length));
        expect(empty.status).to.equal('HTTP/1.1 200 OK');
        expect(valuesOf(empty, 'Content-Length')).to.deep.equal(['0']);
        expect(valuesOf(empty, 'Content-Range')).to.deep.equal([]);
      }
    });

    it('takes what is no number for 0', () => {
      expect(answer(alpha(NaN, 'x' as unknown as number)).status).to.equal('HTTP/1.1 200 OK');
      expectPart(alpha('3' as unknown as number, 2.9), 'bytes 3-4/26', 'de');
    });

    it('is not touched by the conditions and ranges of the request', () => {
      const asked = request({ 'range': 'bytes=0-0', 'if-modified-since': DATE });
      expect(answer(alpha(2, 3), asked).body.toString()).to.equal('cde');
    });
  });

  describe('conditions and ranges of the request', () => {
    it('make a 304 without a body of a date that is not older', () => {
      for (const method of ['GET', 'HEAD']) {
        const response = new Response(200, { 'ETag': '"1"', 'Content-Length': '26' }).withFile(at('alpha.txt'));
        const bare = answer(response, request({ 'if-modified-since': DATE }, method));
        expect(bare.status).to.equal('HTTP/1.1 304 Not Modified');
        expect(bare.lines).to.deep.equal(['ETag: "1"', 'Connection: keep-alive', `Last-Modified: ${DATE}`]);
        expect(bare.body.length).to.equal(0);
      }
      const older = request({ 'if-modified-since': 'Tue, 02 Jan 2024 03:04:04 GMT' });
      expect(answer(alpha(), older).status).to.contain('200');
    });

    it('ignore the date beside If-None-Match', () => {
      const asked = request({ 'if-modified-since': DATE, 'if-none-match': '"1"' });
      expect(answer(alpha(), asked).status).to.contain('200');
      expect(answer(new Response(200, { etag: 'W/"1"' }).withFile(at('alpha.txt')), asked).status).to.contain('304');
    });

    it('compare with the Last-Modified that the application set', () => {
      const given = 'Wed, 03 Jan 2024 00:00:00 GMT';
      const response = new Response(200, { 'last-modified': given }).withFile(at('alpha.txt'));
      expect(answer(response, request({ 'if-modified-since': DATE })).status).to.contain('200');
      expect(answer(response, request({ 'if-modified-since': given })).status).to.contain('304');
    });

    it('give a satisfiable range of a GET as a 206', () => {
      const part = answer(alpha(), request({ range: 'bytes=2-4' }));
      expect(part.status).to.equal('HTTP/1.1 206 Partial Content');
      expect(part.lines).to.deep.equal([
        'Content-Length: 3', 'Accept-Ranges: bytes', 'Content-Range: bytes 2-4/26', 'Connection: keep-alive',
        'Content-Type: text/plain', `Last-Modified: ${DATE}`,
      ]);
      expect(part.body.toString()).to.equal('cde');
    });

    it('give a 416 for a range behind the end', () => {
      const refusal = answer(alpha(), request({ range: 'bytes=26-' }));
      expect(refusal.status).to.equal('HTTP/1.1 416 Range Not Satisfiable');
      expect(valuesOf(refusal, 'Content-Range')).to.deep.equal(['bytes */26']);
      expect(valuesOf(refusal, 'Content-Length')).to.deep.equal(['0']);
      expect(refusal.body.length).to.equal(0);
    });

    it('give the whole file for several ranges and other units', () => {
      for (const range of ['bytes=0-1,3-4', 'items=0-1']) {
        const whole = answer(alpha(), request({ range }));
        expect(whole.status).to.equal('HTTP/1.1 200 OK');
        expect(whole.body.toString()).to.equal(ALPHABET);
      }
    });

    it('give the whole file when If-Range does not hold', () => {
      expect(answer(alpha(), request({ 'range': 'bytes=0-0', 'if-range': DATE })).status).to.contain('206');
      const later = request({ 'range': 'bytes=0-0', 'if-range': 'Tue, 02 Jan 2024 03:04:06 GMT' });
      expect(answer(alpha(), later).status).to.contain('200');
      const tagged = new Response(200, { ETag: '"1"' }).withFile(at('alpha.txt'));
      expect(answer(tagged, request({ 'range': 'bytes=0-0', 'if-range': '"1"' })).status).to.contain('206');
    });

    it('count for GET and HEAD only, ranges for GET only, and none without a request', () => {
      const headers = { 'if-modified-since': DATE, 'range': 'bytes=0-0' };
      expect(answer(alpha(), request(headers, 'POST')).body.toString()).to.equal(ALPHABET);
      expect(answer(alpha(), null).body.toString()).to.equal(ALPHABET);
      const head = answer(alpha(), request({ range: 'bytes=0-0' }, 'HEAD'), HEAD);
      expect(head.status).to.contain('200');
      expect(valuesOf(head, 'Content-Length')).to.deep.equal(['26']);
    });

    it('count for status 200 only', () => {
      const asked = request({ 'if-modified-since': DATE, 'range': 'bytes=0-0' });
      const page = answer(new Response(404).withFile(at('alpha.txt')), asked);
      expect(page.status).to.equal('HTTP/1.1 404 Not Found');
      expect(page.body.toString()).to.equal(ALPHABET);
    });
  });

  describe('file that can not be sent', () => {
    it('is a plain 403 that ends the connection when it is unreadable', () => {
      const response = new Response(200, { 'X-A': 'a' }).withFile(put('secret.txt', 'secret'));
      chmodSync(at('secret.txt'), 0);
      const { answer: encoded } = asNobody(() => encodeFile(response, request(), PLAIN_CONTEXT));
      expect(encoded.bytes).to.equal(
        'HTTP/1.1 403 Forbidden\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: 13\r\n'
        + 'Connection: close\r\n\r\n403 Forbidden',
      );
      expect(encoded.closes).to.equal(true);
      const head = asNobody(() => encodeFile(response, request(), HEAD)).answer;
      expect(parseAnswer(head.bytes).body.length).to.equal(0);
      expect(head.bytes).to.contain('Content-Length: 13\r\n');
    });

    it('is a 404 when it has gone since withFile', () => {
      const headers = { 'X-A': 'a', 'Transfer-Encoding': 'chunked', 'Content-Type': 'text/event-stream' };
      const response = new Response(200, headers).withFile(put('gone.txt', 'x'));
      rmSync(at('gone.txt'));
      const page = answer(response);
      expect(page.status).to.equal('HTTP/1.1 404 Not Found');
      expect(page.lines).to.deep.equal([
        'X-A: a', 'Connection: keep-alive', 'Content-Type: text/html;charset=utf-8', 'Content-Length: 22',
      ]);
      expect(page.body.toString()).to.equal('<h3>404 Not Found</h3>');
    });

    it('is a 404, at once, when a directory or a pipe has taken its place', () => {
      const response = new Response().withFile(put('other.txt', 'x'));
      rmSync(at('other.txt'));
      mkdirSync(at('other.txt'));
      expect(answer(response).status).to.contain('404');
      renameSync(at('other.txt'), at('moved'));
      execFileSync('mkfifo', [at('other.txt')]);
      expect(answer(response).status).to.contain('404');
    });
  });

  describe('small and large files', () => {
    it('goes out with its head in one piece below 2 MiB', () => {
      const response = new Response().withFile(at('big.bin'), 5, 2 * MIB - 1);
      const { answer: encoded, source } = encodeFile(response, request(), PLAIN_CONTEXT);
      expect(source).to.equal(null);
      const content = Buffer.alloc(BIG, ALPHABET).subarray(5, 5 + 2 * MIB - 1);
      expect(parseAnswer(encoded.bytes).body.equals(content)).to.equal(true);
      expect(openFiles()).to.deep.equal([]);
    });

    it('goes out as a head and a source from 2 MiB on, in pieces', async () => {
      const response = new Response().withFile(at('big.bin'), 5);
      const { answer: encoded, source } = encodeFile(response, request(), LAST);
      expect(encoded.closes).to.equal(true);
      expect(parseAnswer(encoded.bytes).body.length).to.equal(0);
      expect(encoded.bytes).to.contain(`Content-Length: ${BIG - 5}\r\n`);
      const pieces = await drain(source as FileSource);
      expect(Math.max(...pieces.map((piece) => piece.length))).to.be.at.most(MIB);
      expect(pieces.length).to.be.above(1);
      expect(Buffer.concat(pieces).equals(readFileSync(at('big.bin')).subarray(5))).to.equal(true);
      await closedIn(folder);
    });

    it('leaves no file open after toString', () => {
      expect(String(new Response().withFile(at('big.bin')))).to.contain(`Content-Length: ${BIG}\r\n`);
      expect(openFiles()).to.deep.equal([]);
    });

    it('hands the open file to the holder of a plan', () => {
      const plan = planFile(alpha(3, 4), request());
      expect(plan).to.include({ status: 206, offset: 3, length: 4, body: '', closes: false });
      expect(openFiles()).to.deep.equal([at('alpha.txt')]);
      closeSync(plan.fd as number);
    });
  });
});

/** Runs it without the rights of root, for whom no file is unreadable. */
function asNobody<T>(call: () => T): T {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    return call();
  } finally {
    if (root) process.seteuid?.(0);
  }
}
