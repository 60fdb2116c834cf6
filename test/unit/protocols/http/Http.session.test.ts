import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { Http } from '../../../../protocols/Http.js';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import type { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import { Session } from '../../../../protocols/http/Session.js';
import { catchReports, closeAll, open, settle, until, type Peer } from '../../connection/peers.js';
import { useMemory } from './session/MemoryHandler.js';

const ID = 'abcdefghijklmnop';
const OTHER = 'ponmlkjihgfedcba';

type Handler = (connection: TcpConnection, request: Request) => unknown;

const get = (path = '/', id: string | null = ID, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\n${id === null ? '' : `Cookie: PHPSID=${id}\r\n`}${more}\r\n`;

describe('sessions on a connection', () => {
  const reports = catchReports();
  const used = useMemory();

  /** Calls to the store that wait, by name, and how to let them go on or fail. */
  let waiting: Map<string, { go: () => void; fail: (error: Error) => void }>;

  /** Lets calls to the store that change something wait until they are told to go on. */
  function holdStore(): void {
    used.handler.gate = (call) => (call.startsWith('read') ? undefined : new Promise((resolve, reject) => {
      waiting.set(call, { go: resolve, fail: reject });
    }));
  }

  async function release(call: string): Promise<void> {
    await until(() => waiting.has(call));
    waiting.get(call)!.go();
    waiting.delete(call);
  }

  async function serve(onMessage: Handler, text: string): Promise<{ connection: TcpConnection; peer: Peer }> {
    const ends = await open((connection) => {
      connection.protocol = Http;
      connection.onMessage = onMessage;
    });
    await ends.peer.write(text);
    return ends;
  }

  /** A handler that counts its calls in the session and says how many there were. */
  const count: Handler = async (connection, request) => {
    const session = await request.session();
    const visits = session.get<number>('visits', 0) + 1;
    session.set('visits', visits);
    connection.send(`visit ${visits}.`);
  };

  beforeEach(() => {
    waiting = new Map();
  });

  afterEach(closeAll);
  afterEach(() => expect(reports.lines).to.deep.equal([]));

  it('are stored before a byte of the answer goes out', async () => {
    holdStore();
    const sent: unknown[] = [];
    const { peer } = await serve(async (connection, request) => {
      (await request.session()).set('a', 1);
      sent.push(connection.send('answer'));
    }, get());
    await until(() => waiting.has(`write ${ID}`));
    await settle();
    expect(sent).to.deep.equal([null]);
    expect(peer.text).to.equal('');
    await release(`write ${ID}`);
    expect(await peer.gets(/answer/)).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    expect(used.handler.data(ID)).to.deep.equal({ a: 1 });
    expect(reports.failures).to.deep.equal([]);
  });

  it('do not hold up an answer when they have not changed', async () => {
    used.handler.stored.set(ID, '{"a":1}');
    const sent: unknown[] = [];
    const { peer } = await serve(async (connection, request) => {
      const session = await request.session();
      sent.push(connection.send(`a is ${String(session.get('a'))}`));
    }, get());
    await peer.gets(/a is 1/);
    expect(sent).to.deep.equal([true]);
    expect(used.handler.calls).to.deep.equal([]);
  });

  it('send the cookie of a new one with the answer, behind the cookies of the response', async () => {
    const { peer } = await serve(async (connection, request) => {
      await request.session();
      connection.send(new Response(200, { 'X-A': '1' }, 'answer').cookie('mine', '1'));
    }, get('/', null));
    expect(await peer.gets(/answer/)).to.match(
      /^HTTP\/1\.1 200 OK\r\nX-A: 1\r\nSet-Cookie: mine=1\r\nSet-Cookie: PHPSID=[0-9a-v]{26}; Path=\/; HttpOnly\r\nConnection: keep-alive\r\n/,
    );
  });

  it('give each visit what the one before has stored, also when they are pipelined', async () => {
    const { peer } = await serve(count, get().repeat(20));
    const text = await peer.gets(/visit 20\./);
    expect([...text.matchAll(/visit (\d+)\./g)].map((match) => Number(match[1]))).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('give a visit on another connection what is being stored', async () => {
    holdStore();
    const first = await serve(count, get());
    await until(() => waiting.has(`write ${ID}`));
    const second = await serve(count, get());
    await settle();
    await release(`write ${ID}`);
    await first.peer.gets(/visit 1\./);
    await release(`write ${ID}`);
    await second.peer.gets(/visit 2\./);
  });

  describe('hold everything that is sent behind the answer', () => {
    let folder: string;

    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'workerman-ts-held-'));
      writeFileSync(join(folder, 'small.txt'), 'small file');
      writeFileSync(join(folder, 'large.bin'), Buffer.alloc(3_000_000, 'L'));
    });

    after(() => rmSync(folder, { recursive: true, force: true }));

    const cases: Record<string, { act: (connection: TcpConnection) => void; answer: RegExp; ends: boolean }> = {
      'raw data': {
        act: (c) => [c.send('one'), c.send('raw', true)],
        answer: /^HTTP[^]*one\r?\n?raw$/, ends: false,
      },
      'chunks': {
        act: (c) => [c.send(new Response(200, { 'Transfer-Encoding': 'chunked' }, 'a')), c.send(new Chunk('b')), c.send(new Chunk(''))],
        answer: /\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/, ends: false,
      },
      'a small file': {
        act: (c) => c.send(new Response().withFile(join(folder, 'small.txt'))), answer: /\r\n\r\nsmall file$/, ends: false,
      },
      'a large file': {
        act: (c) => [c.send(new Response().withFile(join(folder, 'large.bin'))), c.send('next', true)],
        answer: /\r\n\r\nL{3000000}next$/, ends: false,
      },
      'close()': { act: (c) => [c.send('one'), c.close()], answer: /one$/, ends: true },
      'close() with data': { act: (c) => c.close('last'), answer: /Connection: close[^]*last$/, ends: true },
      'end() with data': { act: (c) => c.end('last'), answer: /Connection: close[^]*last$/, ends: true },
      'the close of a response that asks for it': {
        act: (c) => c.send(new Response(200, { Connection: 'close' }, 'last')), answer: /last$/, ends: true,
      },
      'an empty answer': { act: (c) => c.send(new Response(204)), answer: /^HTTP\/1\.1 204 No Content\r\n[^]*\r\n\r\n$/, ends: false },
    };
    for (const [what, { act, answer, ends }] of Object.entries(cases)) {
      it(`such as ${what}`, async () => {
        holdStore();
        const { connection, peer } = await serve(async (c, request) => {
          c.lingerTimeout = 0;
          (await request.session()).set('a', 1);
          act(c);
        }, get());
        await until(() => waiting.has(`write ${ID}`));
        await settle();
        expect([peer.text, peer.ended, connection.getStatus() === 16]).to.deep.equal(['', false, false]);
        await release(`write ${ID}`);
        await peer.gets(answer);
        if (ends) await until(() => peer.ended);
        expect(peer.ended).to.equal(ends);
        expect(reports.failures).to.deep.equal([]);
      });
    }
  });

  it('store again what changes between two answers, in order', async () => {
    holdStore();
    const { peer } = await serve(async (connection, request) => {
      const session = await request.session();
      session.set('n', 1);
      connection.send(new Response(200, { 'Transfer-Encoding': 'chunked' }, 'a'));
      session.set('n', 2);
      connection.send(new Chunk('b'));
      connection.send(new Chunk(''));
    }, get());
    // The second change came before the first write began, so one write stores both.
    await release(`write ${ID}`);
    await peer.gets(/0\r\n\r\n$/);
    expect(used.handler.data(ID)).to.deep.equal({ n: 2 });
  });

  it('wait for a save that the application has begun itself', async () => {
    holdStore();
    const { peer } = await serve(async (connection, request) => {
      const session = await request.session();
      session.set('a', 1);
      void session.save();
      connection.send('answer');
    }, get());
    await until(() => waiting.has(`write ${ID}`));
    await settle();
    expect(peer.text).to.equal('');
    await release(`write ${ID}`);
    await peer.gets(/answer/);
    expect(used.handler.calls).to.deep.equal([`write ${ID}`]);
  });

  it('of another id are all stored before the answer', async () => {
    used.handler.stored.set(ID, '{"a":1}');
    let id = '';
    const { peer } = await serve(async (connection, request) => {
      (await request.session()).set('b', 2);
      id = await request.sessionRegenerateId(true);
      (await request.session()).set('c', 3);
      connection.send(`stored ${[...used.handler.stored.keys()].join()}`);
    }, get());
    await peer.gets(/stored/);
    expect([...used.handler.stored]).to.deep.equal([[id, '{"a":1,"b":2,"c":3}']]);
    expect(peer.text).to.match(new RegExp(`Set-Cookie: PHPSID=${id};`));
  });

  it('of a request that is answered late are stored first, whatever came behind it', async () => {
    holdStore();
    const requests: Request[] = [];
    const { connection, peer } = await serve((_connection, request) => void requests.push(request), get() + get('/', OTHER));
    await until(() => requests.length === 2);
    await requests[1]!.session();
    (await requests[0]!.session()).set('a', 1);
    connection.send('first');
    await until(() => waiting.has(`write ${ID}`));
    await settle();
    expect(peer.text).to.equal('');
    connection.send('second');
    await release(`write ${ID}`);
    await peer.gets(/first[^]*second/);
  });

  describe('that change after the answer', () => {
    it('are stored when the handler has settled', async () => {
      const { peer } = await serve(async (connection, request) => {
        const session = await request.session();
        connection.send('answer');
        await settle();
        session.set('late', 1);
      }, get());
      await peer.gets(/answer/);
      await until(() => used.handler.calls.length > 0);
      expect(used.handler.data(ID)).to.deep.equal({ late: 1 });
    });

    it('are stored when the handler fails', async () => {
      const { connection } = await serve(async (_connection, request) => {
        (await request.session()).set('a', 1);
        throw new Error('no');
      }, get());
      connection.errorHandler = () => {};
      await until(() => used.handler.calls.length > 0);
      expect(used.handler.data(ID)).to.deep.equal({ a: 1 });
    });

    it('are stored on the next turn when the handler had settled before', async () => {
      let session: Session | null = null;
      const { peer } = await serve((connection, request) => {
        request.session().then((loaded) => {
          session = loaded;
          connection.send('answer');
        }, () => {});
      }, get());
      await peer.gets(/answer/);
      session!.set('late', 1);
      await until(() => used.handler.calls.length === 1);
      session!.set('later', 2);
      await until(() => used.handler.calls.length === 2);
      expect(used.handler.data(ID)).to.deep.equal({ late: 1, later: 2 });
    });

    it('hold up an answer that comes later still', async () => {
      holdStore();
      const { peer } = await serve((connection, request) => {
        request.session().then((session) => {
          session.set('a', 1);
          connection.send('answer');
        }, () => {});
      }, get());
      await until(() => waiting.has(`write ${ID}`));
      await settle();
      expect(peer.text).to.equal('');
      await release(`write ${ID}`);
      await peer.gets(/answer/);
    });

    it('are stored when the connection closes under the handler, and again at its end', async () => {
      let finish = (): void => {};
      const { peer } = await serve(async (_connection, request) => {
        const session = await request.session();
        session.set('a', 1);
        await new Promise<void>((resolve) => (finish = resolve));
        session.set('b', 2);
      }, get());
      await settle();
      await peer.reset();
      await until(() => used.handler.calls.length === 1);
      expect(used.handler.data(ID)).to.deep.equal({ a: 1 });
      finish();
      await until(() => used.handler.calls.length === 2);
      expect(used.handler.data(ID)).to.deep.equal({ a: 1, b: 2 });
    });

    it('can not begin one any more', async () => {
      let code = '';
      const { peer } = await serve(async (connection, request) => {
        connection.send('answer');
        await request.session().catch((error: { code: string }) => (code = error.code));
      }, get('/', null));
      await peer.gets(/answer/);
      await until(() => code !== '');
      expect(code).to.equal('WM_SESSION');
      await peer.write(get('/', null));
      await peer.gets(/answer[^]*answer/);
      expect(peer.text).to.not.match(/Set-Cookie/);
    });
  });

  it('get their time extended at the end, when that is set', async () => {
    Session.autoUpdateTimestamp = true;
    try {
      const { peer } = await serve(async (connection, request) => {
        await request.session();
        connection.send('answer');
      }, get());
      await peer.gets(/answer/);
      await until(() => used.handler.calls.length > 0);
      expect(used.handler.calls).to.deep.equal([`touch ${ID}`]);
    } finally {
      Session.autoUpdateTimestamp = false;
    }
  });

  it('are collected with the probability that is set, once for each session', async () => {
    Session.gcProbability = [1, 1];
    const { peer } = await serve(count, get() + get('/', OTHER));
    await peer.gets(/visit[^]*visit/);
    await until(() => used.handler.calls.length === 4);
    expect(used.handler.calls).to.have.members([`write ${ID}`, 'gc 1440', `write ${OTHER}`, 'gc 1440']);
  });

  it('only tell when the collection fails', async () => {
    Session.gcProbability = [1, 1];
    used.handler.gate = (call) => (call.startsWith('gc') ? Promise.reject(new Error('busy')) : undefined);
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const { peer } = await serve(count, get());
    await peer.gets(/visit 1/);
    expect((await warned).message).to.equal('Old sessions could not be collected: busy');
    expect(reports.failures).to.deep.equal([]);
  });

  describe('that can not be stored', () => {
    const fails: Handler = async (connection, request) => {
      (await request.session()).set('a', 1);
      connection.send('answer');
    };

    it('are an exception of the handler, and the answer is not sent', async () => {
      used.handler.gate = (call) => (call.startsWith('write') ? Promise.reject(new Error('full')) : undefined);
      const { connection, peer } = await serve(fails, get());
      await until(() => peer.ended);
      expect(peer.text).to.equal('');
      expect(connection.getStatus()).to.equal(16);
      expect(reports.failures.map(String)).to.deep.equal(['Error: full']);
      expect(used.handler.calls).to.deep.equal([]);
    });

    it('go to the errorHandler of the connection, once', async () => {
      used.handler.gate = (call) => (call.startsWith('write') ? Promise.reject(new Error('full')) : undefined);
      const errors: unknown[] = [];
      const { connection, peer } = await serve(fails, get());
      connection.errorHandler = (error) => {
        errors.push(error);
        connection.send(new Response(500));
      };
      await until(() => peer.ended);
      await settle();
      expect(peer.text).to.equal('');
      expect(errors.map(String)).to.deep.equal(['Error: full']);
      expect(reports.failures).to.deep.equal([]);
    });

    it('go to the errorHandler also when the connection has closed meanwhile', async () => {
      holdStore();
      const errors: unknown[] = [];
      const { connection, peer } = await serve(fails, get());
      connection.errorHandler = (error) => errors.push(error);
      await until(() => waiting.has(`write ${ID}`));
      await peer.reset();
      await until(() => connection.getStatus() === 16);
      waiting.get(`write ${ID}`)!.fail(new Error('full'));
      await until(() => errors.length > 0);
      await settle();
      expect(errors.map(String)).to.deep.equal(['Error: full']);
      expect(connection.errorHandler).to.equal(null);
      expect(reports.failures).to.deep.equal([]);
    });

    it('because they can not be read are an exception of the handler that asked', async () => {
      used.handler.gate = () => Promise.reject(new Error('down'));
      const { connection } = await serve(count, get());
      await until(() => reports.failures.length > 0);
      expect(reports.failures.map(String)).to.deep.equal(['Error: down']);
      expect(connection.getStatus()).to.equal(2);
    });
  });

  it('of many clients never mix', async () => {
    // Each call to the store takes a turn or more, so that the visits overlap in every way.
    used.handler.gate = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
    const visits: Handler = async (connection, request) => {
      const session = await request.session();
      const name = request.get<string>('name');
      const seen = session.get<string[]>('names', []);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      session.set('names', [...seen, name]);
      connection.send(JSON.stringify({ name, id: session.getId(), seen }));
    };
    const clients = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
      const { peer } = await serve(visits, get(`/?name=c${n}`, null));
      let id = '';
      for (let visit = 1; visit <= 6; visit++) {
        await until(() => peer.text.split('"seen"').length === visit + 1);
        id ||= /PHPSID=([^;]+)/.exec(peer.text)![1]!;
        await peer.write(get(`/?name=c${n}`, id));
      }
      await until(() => peer.text.split('"seen"').length === 8);
      const answers = peer.text.match(/\{"name".*?\}/g)!.map((text) => JSON.parse(text) as { name: string; id: string; seen: string[] });
      for (const [i, { name, id: told, seen }] of answers.entries()) {
        expect([name, told, seen]).to.deep.equal([`c${n}`, id, Array.from({ length: i }, () => `c${n}`)]);
      }
      return id;
    }));
    expect(new Set(clients)).to.have.property('size', 20);
  });
});
