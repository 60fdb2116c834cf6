import { expect } from 'chai';
import fc from 'fast-check';
import { bareHost, parseHostPort, parseRemoteAddress } from '../../../connection/remoteAddress.js';
import { WorkermanError } from '../../../errors.js';

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
);

describe('the address of a client connection', () => {
  it('gives back what it was put together from', () => {
    const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,8}$/);
    const path = fc.stringMatching(/^(\/[\w%.-]{0,5}){0,3}$/);
    const query = fc.stringMatching(/^(\?[\w=&:/@%.-]{0,9})?$/);
    const user = fc.stringMatching(/^([\w:.-]{0,9}@)?$/);
    const fragment = fc.stringMatching(/^(#[\w?#/]{0,5})?$/);
    fc.assert(
      fc.property(name, user, host, fc.option(fc.nat(65_535)), path, query, fragment, (scheme, login, where, port, p, q, f) => {
        fc.pre(scheme !== 'unix');
        const text = `${scheme}://${login}${where}${port === null ? '' : `:${port}`}${p}${q}${f}`;
        expect(parseRemoteAddress(text)).to.deep.equal({ scheme, host: where, port: port ?? 0, uri: `${p || '/'}${q}`, path: '' });
      }),
    );
  });

  it('is taken or refused, whatever it is, and never lets a control character through', () => {
    const piece = fc.constantFrom('tcp', '://', ':', '/', '//', '?', '#', '@', '[', ']', '::1', 'h', '80', '99999', '\r\n', '\0', ' ', 'é', 'unix://');
    const any = fc.oneof(fc.string(), fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')));
    fc.assert(
      fc.property(any, (text) => {
        let address;
        try {
          address = parseRemoteAddress(text);
        } catch (error) {
          expect(error).to.be.instanceOf(WorkermanError);
          expect((error as WorkermanError).code).to.equal('WM_BAD_REMOTE_ADDRESS');
          return;
        }
        expect(`${address.host}${address.uri}`).to.not.match(/\p{Cc}/u);
        expect(address.host).to.not.match(/\s/);
        expect(address.port).to.be.within(0, 65_535);
        if (address.path === '') expect(address.host).to.not.equal('');
      }),
      { numRuns: 500 },
    );
  });

  it('is parsed in a moment, however long', () => {
    for (const text of ['a'.repeat(1e6), `tcp://${'a@'.repeat(5e5)}`, `${':'.repeat(1e6)}//`, `tcp://h/${'?#'.repeat(5e5)}`]) {
      try {
        parseRemoteAddress(text);
      } catch (error) {
        expect(error).to.be.instanceOf(WorkermanError);
      }
    }
  });

  it('has a host without brackets for the system', () => {
    expect([bareHost('[::1]'), bareHost('h'), bareHost('1.2.3.4')]).to.deep.equal(['::1', 'h', '1.2.3.4']);
  });

  it('has simple relatives: host:port', () => {
    expect(parseHostPort('h:1')).to.deep.equal({ host: 'h', port: 1 });
    expect(parseHostPort('[::1]:65535')).to.deep.equal({ host: '::1', port: 65535 });
    expect(parseHostPort('0:0')).to.deep.equal({ host: '0', port: 0 });
    for (const bad of ['', 'h', ':1', 'h:', 'h:65536', '::1:1', 'http://h:1', 'h:1/', 'h 1:1', 'h:1\r\n', 'u@h:1']) {
      expect(parseHostPort(bad), bad).to.equal(null);
    }
  });
});
