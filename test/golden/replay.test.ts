import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import type { Case, Expectation, Send } from './cases.js';
import { compare, isRight } from './match.js';
import { playCase } from './replay.js';

const b64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function aCase(send: Send[], expected: Expectation, more: Partial<Case> = {}): Case {
  return { id: 'a.b.c', group: 'b', description: '', send, expect: expected, timeout_ms: 400, ...more };
}

describe('comparing received bytes with an answer', () => {
  const sha256OfAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  const answer = {
    parts: [{ b64: b64('x=') }, { re: '\\d+' }, { sha256: sha256OfAbc, length: 3 }, { b64: b64('!'), repeat: 2 }],
  };

  it('accepts literal, pattern, digest and repeated parts one after the other', () => {
    expect(compare(answer, latin1('x=12abc!!'))).to.deep.equal({ kind: 'equal' });
  });

  it('calls the beginning of an answer begun, whatever part it breaks off in', () => {
    for (const text of ['', 'x', 'x=', 'x=1', 'x=12ab', 'x=12abc', 'x=12abc!']) {
      expect(compare(answer, latin1(text)).kind, text).to.equal('begun');
    }
  });

  it('calls another byte, another digest and bytes too many by their names', () => {
    expect(compare(answer, latin1('y=12abc!!'))).to.include({ kind: 'different', at: 0 });
    expect(compare(answer, latin1('x=12abd!!'))).to.include({ kind: 'different', at: 4 });
    expect(compare(answer, latin1('x=12abc!?'))).to.include({ kind: 'different', at: 8 });
    expect(compare(answer, latin1('x=12abc!!!'))).to.include({ kind: 'surplus', at: 9 });
  });

  it('asks of each alternative that bytes and close agree', () => {
    const either = {
      anyOf: [
        { b64: b64('a'), closed: true },
        { b64: b64('b'), closed: false },
        { b64: b64('c'), closed: null },
      ],
    };
    expect(isRight(either, latin1('a'), true)).to.equal(true);
    expect(isRight(either, latin1('a'), false)).to.equal(false);
    expect(isRight(either, latin1('b'), false)).to.equal(true);
    expect(isRight(either, latin1('b'), true)).to.equal(false);
    expect(isRight(either, latin1('c'), true)).to.equal(true);
    expect(isRight(either, latin1('d'), true)).to.equal(false);
  });
});

describe('replaying a case', () => {
  let server: Server;
  let port: number;
  const sockets = new Set<Socket>();

  /** Answers `say X` with X, `shut` by closing, `later X` with X a little later, and echoes everything else. */
  before((done) => {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      socket.on('end', () => socket.end('(end)'));
      socket.setEncoding('latin1').on('data', (text: unknown) => {
        const [, word, rest = ''] = /^(say|shut|later|id|reset|all) ?([^]*)$/.exec(String(text)) ?? [];
        if (word === 'say') socket.write(rest);
        else if (word === 'shut') socket.end(rest);
        else if (word === 'later') setTimeout(() => socket.write(rest), 100);
        else if (word === 'id') socket.write('id=4711;');
        else if (word === 'reset') socket.resetAndDestroy();
        else if (word === 'all') for (const each of sockets) each.destroy();
        else socket.write(String(text));
      });
    }).listen(0, '127.0.0.1', () => {
      port = (server.address() as AddressInfo).port;
      done();
    });
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const play = (send: Send[], expected: Expectation, more: Partial<Case> = {}): Promise<string> =>
    playCase(aCase(send, expected, more), { port }, 'tcp');

  it('passes the right bytes on a connection that stays open', async () => {
    expect(await play([{ b64: b64('say hello') }], { b64: b64('hello'), closed: false })).to.equal('');
  });

  it('waits for bytes that come late', async () => {
    expect(await play([{ b64: b64('later hello') }], { b64: b64('hello'), closed: false })).to.equal('');
  });

  it('reports other bytes, missing bytes and bytes too many', async () => {
    expect(await play([{ b64: b64('say hullo') }], { b64: b64('hello'), closed: false })).to.match(/at byte 1/);
    expect(await play([{ b64: b64('say hell') }], { b64: b64('hello'), closed: false })).to.match(
      /1 bytes are missing/,
    );
    expect(await play([{ b64: b64('say hello!') }], { b64: b64('hello'), closed: false })).to.match(/1 bytes too many/);
  });

  it('reports an answer where silence was expected, also a late one', async () => {
    expect(await play([{ b64: b64('later x') }], { b64: '', closed: false })).to.match(/1 bytes too many/);
    expect(await play([{ b64: b64('shut') }], { b64: '', closed: false })).to.match(/is closed/);
  });

  it('tells a close from none, and a reset is a close', async () => {
    expect(await play([{ b64: b64('shut bye') }], { b64: b64('bye'), closed: true })).to.equal('');
    expect(await play([{ b64: b64('reset') }], { b64: '', closed: true })).to.equal('');
    expect(await play([{ b64: b64('shut bye') }], { b64: b64('bye'), closed: false })).to.match(/is closed/);
    expect(await play([{ b64: b64('say bye') }], { b64: b64('bye'), closed: true })).to.match(/still open[^]*gave up/);
  });

  it('puts pieces together, waits before an item, and closes its side when told to', async () => {
    const send = [
      { pieces: [{ b64: b64('say ') }, { b64: b64('ab'), repeat: 3 }] },
      { b64: b64('say !'), delay_ms: 50, fin: true },
    ];
    expect(await play(send, { b64: b64('ababab!(end)'), closed: true })).to.equal('');
  });

  it('takes variables from an answer into a later item', async () => {
    const send = [
      { b64: b64('id') },
      { await: { re: 'id=(\\d+);', names: ['id'] }, subst: true, b64: b64('say {{id}}{{other}}') },
    ];
    expect(await play(send, { b64: b64('id=4711;4711{{other}}'), closed: false })).to.equal('');
  });

  it('gives up on an item whose condition never comes true', async () => {
    const send = [{ b64: b64('id') }, { await: { re: 'never' }, b64: b64('say more') }];
    expect(await play(send, { b64: b64('id=4711;more'), closed: false })).to.match(/4 bytes are missing/);
  });

  it('can hold off reading and still sees everything', async () => {
    const send = [{ b64: b64(`say ${'z'.repeat(20000)}`) }];
    expect(await play(send, { b64: b64('z'.repeat(20000)), closed: false }, { read_after_ms: 150 })).to.equal('');
  });

  it('notices when an idle connection beside the case is closed', async () => {
    const witness = { witness: true, timeout_ms: 800 };
    expect(await play([{ b64: b64('say x') }], { b64: b64('x'), closed: false }, witness)).to.equal('');
    expect(await play([{ b64: b64('all') }], { b64: '', closed: true }, witness)).to.match(
      /idle connection was closed/,
    );
  });

  it('reports that nobody listens', async () => {
    expect(await playCase(aCase([], { b64: '' }), { path: '/nonexistent/socket' }, 'unix')).to.match(
      /could not connect/,
    );
  });

  it('compares datagrams in their order and number', async () => {
    const udp = createSocket('udp4');
    udp.on('message', (message, from) => {
      for (const text of message.toString().split(',')) udp.send(text, from.port, from.address);
    });
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const target = { port: udp.address().port };
    const ask = (wanted: string[]): Promise<string> =>
      playCase(aCase([{ b64: b64('a,b') }], { datagrams: wanted.map((text) => ({ b64: b64(text) })) }), target, 'udp');
    try {
      expect(await ask(['a', 'b'])).to.equal('');
      expect(await ask(['b', 'a'])).to.match(/expected "b" \| "a"\nreceived "a" \| "b"/);
      expect(await ask(['a'])).to.match(/expected "a"\nreceived "a" \| "b"/);
      expect(await ask(['a', 'b', 'c'])).to.match(/expected "a" \| "b" \| "c"/);
    } finally {
      udp.close();
    }
  });
});
