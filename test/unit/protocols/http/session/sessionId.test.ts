import { expect } from 'chai';
import {
  addSessionCookie, createSessionId, isClientSessionId, isUsableSessionId, sessionCookie,
} from '../../../../../protocols/http/session/sessionId.js';

const PARAMS = { lifetime: 0, path: '', domain: '', secure: false, httponly: false, samesite: '' };

describe('session ids', () => {
  it('are made of 26 characters of which no two are alike', () => {
    const ids = Array.from({ length: 1000 }, createSessionId);
    for (const id of ids) expect(id).to.match(/^[0-9a-v]{26}$/);
    expect(new Set(ids)).to.have.property('size', 1000);
    expect(new Set(ids.join(''))).to.have.property('size', 32);
  });

  it('are accepted from a client with 16 to 256 harmless characters, from a program with fewer too', () => {
    const cases: readonly [unknown, boolean, boolean][] = [
      ['a'.repeat(16), true, true], ['aZ09,-'.repeat(3), true, true], ['a'.repeat(256), true, true],
      ['a'.repeat(15), false, true], ['a', false, true], ['', false, false], ['a'.repeat(257), false, false],
      [`${'a'.repeat(16)}\n`, false, false], [`${'a'.repeat(16)}/`, false, false], [`"${'a'.repeat(16)}"`, false, false],
      ['ä'.repeat(16), false, false], [null, false, false], [undefined, false, false], [5, false, false], [['a'.repeat(16)], false, false],
    ];
    for (const [id, fromClient, usable] of cases) {
      expect([isClientSessionId(id), isUsableSessionId(id)], String(id)).to.deep.equal([fromClient, usable]);
    }
  });
});

describe('the cookie of a session', () => {
  it('has what is set, in Workerman\'s order', () => {
    expect(sessionCookie('S', 'id', PARAMS)).to.equal('S=id');
    expect(sessionCookie('S', 'id', {
      httponly: true, secure: true, samesite: 'Lax', path: '/p', lifetime: 60, domain: 'example.test',
    })).to.equal('S=id; Domain=example.test; Max-Age=60; Path=/p; SameSite=Lax; Secure; HttpOnly');
  });

  it('replaces one of its name, and leaves others alone', () => {
    const headers: Record<string, unknown> = {};
    addSessionCookie(headers, 'S', 'S=1');
    addSessionCookie(headers, 'S', 'S=2');
    expect(headers).to.deep.equal({ 'Set-Cookie': ['S=2'] });
    headers['Set-Cookie'] = 'a=b';
    addSessionCookie(headers, 'S', 'S=3');
    addSessionCookie(headers, 'T', 'T=4');
    addSessionCookie(headers, 'S', 'S=5');
    expect(headers).to.deep.equal({ 'Set-Cookie': ['a=b', 'T=4', 'S=5'] });
  });
});
