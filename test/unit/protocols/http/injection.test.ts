import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { Response } from '../../../../protocols/http/Response.js';
import { ServerSentEvents } from '../../../../protocols/http/ServerSentEvents.js';
import { catchReports, closeAll, type Peer, until } from '../../connection/peers.js';
import { get, serve } from '../httpPeer.js';

/** What ends a line for somebody, or becomes it when text is written in another encoding than it should be. */
const BREAKS = ['\r\n', '\n', '\r', '\r\n\r\n', '\0', '\u2028', '\u2029', '\u0085', '\u010d\u010a', '\u560d\u560a', '\ud800', '\x0b', '\x0c', ' ', '\t', ''];

/** Text that would like to be a header line of its own, or a second answer. */
const hostile = fc.tuple(
  fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom(...BREAKS),
  fc.constantFrom('Injected: 1', 'injected:1', 'Injected: 1\r\n\r\nHTTP/1.1 200 OK', 'Set-Cookie: injected=1'), fc.constantFrom(...BREAKS),
).map((parts) => parts.join(''));

describe('nothing that an application passes on', () => {
  const reports = catchReports();
  afterEach(closeAll);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'injection-'))));
  after(() => rmSync(folder, { recursive: true }));

  const texts = fc.record({
    name: hostile, value: hostile, list: fc.array(hostile, { maxLength: 2 }), reason: hostile, version: hostile, cookieName: hostile,
    cookieValue: hostile, path: hostile, domain: hostile, sameSite: hostile, maxAge: hostile, type: hostile, length: hostile,
  });
  type Texts = typeof texts extends fc.Arbitrary<infer T> ? T : never;

  const dress = (response: Response, t: Texts): Response => response
    .withHeaders({ [t.name]: t.value, 'X-List': t.list, [`X${t.name}`]: t.value })
    .header('Content-Type', t.type).header('Content-Length', t.length).header('Location', t.value)
    .withStatus(200, t.reason)
    // A caller without types may pass anything as an age.
    .cookie(t.cookieName, t.cookieValue, t.maxAge as never, t.path, t.domain, true, true, t.sameSite)
    .cookie('ok', t.cookieValue, null, t.path);

  /** The head of the first answer, one character for each byte, on a connection that answers once. */
  async function headOf(send: (connection: TcpConnection) => unknown): Promise<{ head: string; peer: Peer }> {
    const { peer } = await serve(send);
    await peer.write(get('/', 'Connection: close\r\n'));
    await until(() => peer.ended || peer.closed);
    return { head: peer.text.slice(0, peer.text.indexOf('\r\n\r\n')), peer };
  }

  function expectClean(head: string): void {
    expect(head).to.match(/^HTTP\//);
    // Every line is one that was written as a line: the status line, or a name and a value.
    for (const line of head.split('\r\n').slice(1)) {
      expect(line).to.match(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: /);
      expect(line).to.not.match(/^injected/i);
    }
    expect(head).to.not.match(/^Set-Cookie: injected/im);
    // eslint-disable-next-line no-control-regex -- a line end or a NUL anywhere else
    expect(head.replaceAll('\r\n', '')).to.not.match(/[\r\n\0]/);
  }

  for (const [what, make] of [
    ['a text', () => new Response(200, {}, 'body')],
    ['a file', () => new Response().withFile(join(folder, 'file'))],
    ['a stream', () => new Response(200, {}, (async function* () { yield 'body'; })())],
  ] as const) {
    it(`becomes a line of its own in the answer with ${what}`, async () => {
      writeFileSync(join(folder, 'file'), 'body');
      await fc.assert(fc.asyncProperty(texts, async (t) => {
        const { head } = await headOf((c) => {
          c.headers[t.name] = t.value;
          c.headers['X-Conn'] = t.list;
          c.send(dress(make(), t));
        });
        // A name or value that is its own whole line is no injection: the application has asked for it.
        if (!/^injected/i.test(t.name)) expectClean(head);
        await closeAll();
      }), { numRuns: 60 });
      expect(reports.failures).to.deep.equal([]);
    });
  }

  it('does so in a text, or in an answer of another make', async () => {
    await fc.assert(fc.asyncProperty(texts, async (t) => {
      const { head: plain } = await headOf((c) => {
        c.headers[t.name] = t.value;
        c.headers['Content-Type'] = t.type;
        c.send('body');
      });
      const { head: foreign } = await headOf((c) => c.send({
        status: 200, statusText: t.reason, bodyUsed: false, body: null, arrayBuffer() {}, headers: [[t.name, t.value], ['set-cookie', `c=${t.value}`], ['x', t.type]],
      }));
      if (!/^injected/i.test(t.name)) [plain, foreign].forEach(expectClean);
      await closeAll();
    }), { numRuns: 60 });
  });

  it('does so by the name of a file', async () => {
    for (const name of ['a\r\nInjected: 1.bin', 'a"; x="y.bin', 'a\nInjected: 1', '\u560d\u560aInjected: 1.bin']) {
      writeFileSync(join(folder, name), 'body');
      const { head } = await headOf((c) => c.send(new Response().withFile(join(folder, name))));
      expectClean(head);
      expect(head).to.match(/^Content-Disposition: attachment; filename="[^"]*"$/m);
    }
  });

  it('becomes a field of its own in an event', () => {
    fc.assert(fc.property(hostile, hostile, hostile, (event, id, data) => {
      const text = String(new ServerSentEvents({ event, id, data, '': data, retry: data }));
      for (const line of text.split(/\r\n|\r|\n/)) expect(line).to.match(/^(?:event: |id: |data: |: |$)/);
      expect(text.match(/^event: /gm)).to.have.length(1);
    }));
  });
});
