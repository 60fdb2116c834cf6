import { expect } from 'chai';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { WorkermanError } from '../../../../errors.js';
import { Request } from '../../../../protocols/http/Request.js';
import { Session } from '../../../../protocols/http/Session.js';
import { useMemory } from './session/MemoryHandler.js';

const ID = 'abcdefghijklmnop';

/** What is thrown, or what a promise is rejected with. */
async function failure(act: () => unknown): Promise<WorkermanError> {
  try {
    await act();
  } catch (error) {
    expect(error).to.be.instanceOf(WorkermanError);
    return error as WorkermanError;
  }
  throw new Error('it did not fail');
}

describe('the session of a Request', () => {
  const used = useMemory();

  /** A request with this cookie and a connection that takes headers. */
  function make(cookie: string | null = null): { request: Request; headers: Record<string, unknown> } {
    const request = new Request(`GET / HTTP/1.1\r\nHost: a${cookie === null ? '' : `\r\nCookie: ${cookie}`}\r\n\r\n`);
    const headers: Record<string, unknown> = {};
    request.connection = { headers, _state: null } as unknown as TcpConnection;
    return { request, headers };
  }

  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  it('is the one that the cookie names, also when nothing is stored, and nothing is sent', async () => {
    for (const cookie of [`PHPSID=${ID}`, `a=b; PHPSID="${ID}"`]) {
      const { request, headers } = make(cookie);
      expect(request.sessionId()).to.equal(ID);
      expect((await request.session()).getId()).to.equal(ID);
      expect(headers).to.deep.equal({});
    }
  });

  it('is a new one for a client without a valid cookie, which is sent', async () => {
    for (const cookie of [null, 'PHPSID=short', `PHPSID=""${ID}""`, `PHPSID=${ID}/`, `phpsid=${ID}`]) {
      const { request, headers } = make(cookie);
      const id = request.sessionId();
      expect(id).to.match(/^[0-9a-v]{26}$/);
      expect(request.sessionId()).to.equal(id);
      expect((await request.session()).getId()).to.equal(id);
      expect(headers).to.deep.equal({ 'Set-Cookie': [`PHPSID=${id}; Path=/; HttpOnly`] });
    }
  });

  it('is one object for every call, read once', async () => {
    used.handler.stored.set(ID, '{"a":1}');
    let reads = 0;
    used.handler.gate = () => void reads++;
    const { request } = make(`PHPSID=${ID}`);
    const [first, second] = await Promise.all([request.session(), request.session()]);
    expect(first).to.equal(second);
    expect(await request.session()).to.equal(first);
    expect(first.get('a')).to.equal(1);
    expect(reads).to.equal(1);
    expect(request.context).to.deep.equal({ sid: ID, session: first });
  });

  it('is read again after a failure', async () => {
    used.handler.stored.set(ID, '{"a":1}');
    used.handler.gate = () => Promise.reject(new Error('down'));
    const { request } = make(`PHPSID=${ID}`);
    expect(await request.session().catch((error: Error) => error.message)).to.equal('down');
    used.handler.gate = null;
    expect((await request.session()).get('a')).to.equal(1);
  });

  it('needs a connection only where a cookie has to be sent', async () => {
    const without = make();
    without.request.connection = null;
    for (const act of [() => without.request.sessionId(), () => without.request.session(), () => without.request.sessionId(ID), () => without.request.sessionRegenerateId()]) {
      const error = await failure(act);
      expect([error.code, error.message]).to.deep.equal(['WM_SESSION', 'Request->session() fail, header already send']);
    }
    const { request } = make(`PHPSID=${ID}`);
    request.destroy();
    expect((await request.session()).getId()).to.equal(ID);
  });

  it('is stored on the next turn when no handler is there whose end would be told', async () => {
    const { request } = make(`PHPSID=${ID}`);
    request.connection = null;
    const session = await request.session();
    session.set('a', 1);
    session.set('b', 2);
    await nextTurn();
    expect(used.handler.data(ID)).to.deep.equal({ a: 1, b: 2 });
    session.set('c', 3);
    await nextTurn();
    expect(used.handler.data(ID)).to.deep.equal({ a: 1, b: 2, c: 3 });
    expect(used.handler.calls).to.have.length(2);
  });

  describe('under another id', () => {
    it('is read from there, and the changes so far are stored', async () => {
      used.handler.stored.set('other', '{"x":1}');
      const { request, headers } = make(`PHPSID=${ID}`);
      const old = await request.session();
      old.set('a', 1);
      expect(request.sessionId('other')).to.equal('other');
      expect(request.sessionId()).to.equal('other');
      const session = await request.session();
      expect(session.all()).to.deep.equal({ x: 1 });
      expect(used.handler.data(ID)).to.deep.equal({ a: 1 });
      expect(headers).to.deep.equal({ 'Set-Cookie': ['PHPSID=other; Path=/; HttpOnly'] });
      expect(request.context['session']).to.equal(session);
    });

    it('that is the same is read again, with the changes so far', async () => {
      const { request } = make(`PHPSID=${ID}`);
      const old = await request.session();
      used.handler.gate = (call) => (call.startsWith('write') ? new Promise((resolve) => setTimeout(resolve, 5)) : undefined);
      old.set('a', 1);
      request.sessionId(ID);
      const session = await request.session();
      expect(session).to.not.equal(old);
      expect(session.get('a')).to.equal(1);
    });

    it('has to be one that can be used', async () => {
      const { request, headers } = make(`PHPSID=${ID}`);
      for (const id of ['', 'a/b', 'a b', 'a;b', 'a\r\nb', 'ä', 'a'.repeat(257)]) {
        expect((await failure(() => request.sessionId(id))).code).to.equal('WM_SESSION');
      }
      expect(headers).to.deep.equal({});
      expect(request.sessionId()).to.equal(ID);
    });
  });

  describe('under a new id', () => {
    it('takes its data with it, and leaves the old one as it is', async () => {
      used.handler.stored.set(ID, '{"a":1}');
      const { request, headers } = make(`PHPSID=${ID}`);
      const old = await request.session();
      old.set('b', 2);
      const id = await request.sessionRegenerateId();
      expect(id).to.match(/^[0-9a-v]{26}$/);
      expect(request.sessionId()).to.equal(id);
      const session = await request.session();
      expect([session.getId(), session.all()]).to.deep.equal([id, { a: 1, b: 2 }]);
      expect(headers).to.deep.equal({ 'Set-Cookie': [`PHPSID=${id}; Path=/; HttpOnly`] });
      await nextTurn();
      expect(used.handler.data(ID)).to.deep.equal({ a: 1, b: 2 });
      expect(used.handler.data(id)).to.deep.equal({ a: 1, b: 2 });
    });

    it('is stored before the old one is removed', async () => {
      used.handler.stored.set(ID, '{"a":1}');
      const { request } = make(`PHPSID=${ID}`);
      const id = await request.sessionRegenerateId(true);
      await nextTurn();
      expect(used.handler.calls).to.deep.equal([`write ${id}`, `destroy ${ID}`]);
      expect(used.handler.data(id)).to.deep.equal({ a: 1 });
    });

    it('replaces the cookie of the first when a client had none', async () => {
      const { request, headers } = make();
      const first = request.sessionId();
      const second = await request.sessionRegenerateId();
      expect(first).to.not.equal(second);
      expect(headers).to.deep.equal({ 'Set-Cookie': [`PHPSID=${second}; Path=/; HttpOnly`] });
    });

    it('keeps its data through two calls at a time', async () => {
      used.handler.stored.set(ID, '{"a":1}');
      const { request } = make(`PHPSID=${ID}`);
      const ids = await Promise.all([request.sessionRegenerateId(true), request.sessionRegenerateId(true)]);
      expect(request.sessionId()).to.equal(ids[1]);
      expect((await request.session()).all()).to.deep.equal({ a: 1 });
      await nextTurn();
      expect([...used.handler.stored]).to.deep.equal([[ids[1], '{"a":1}']]);
    });

    it('may be one that the application makes', async () => {
      class Own extends Request {
        static override createSessionId(): string {
          return 'own-id';
        }
      }
      const request = new Own('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      request.connection = { headers: {}, _state: null } as unknown as TcpConnection;
      expect(request.sessionId()).to.equal('own-id');
    });
  });

  it('can be asked whether an id is valid', () => {
    const { request } = make();
    expect([request.isValidSessionId(ID), request.isValidSessionId('short'), request.isValidSessionId(5)]).to.deep.equal([true, false, false]);
    expect(Request.createSessionId()).to.match(/^[0-9a-v]{26}$/);
  });

  it('has the cookie that the settings describe', () => {
    const { name, cookieLifetime, sameSite } = Session;
    try {
      Object.assign(Session, { cookieLifetime: 60, sameSite: 'Lax' });
      Session.name = 'S';
      const { request, headers } = make(`PHPSID=${ID}`);
      const id = request.sessionId();
      expect(headers).to.deep.equal({ 'Set-Cookie': [`S=${id}; Max-Age=60; Path=/; SameSite=Lax; HttpOnly`] });
    } finally {
      Object.assign(Session, { cookieLifetime, sameSite });
      Session.name = name;
    }
  });
});
