import { expect } from 'chai';
import fc from 'fast-check';
import { ERROR_CODES, WorkermanError } from '../../../errors.js';
import {
  BUILD_IN_TRANSPORTS, getSocketName, MAX_UNIX_PATH, parseSocketName, resolveAddress, resolveTransport, splitScheme,
} from '../../../lib/SocketName.js';

/** Runs something that must throw a WorkermanError, and gives its code and message. */
function failure(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(WorkermanError);
    const { code, message } = error as WorkermanError;
    expect(code in ERROR_CODES).to.equal(true);
    return { code, message };
  }
  throw new Error('nothing was thrown');
}

describe('splitScheme', () => {
  for (const scheme of ['tcp', 'udp', 'unix', 'ssl']) {
    it(`knows ${scheme} without a protocol`, () => {
      expect(splitScheme(`${scheme}://a:1`)).to.deep.equal({ scheme, address: '//a:1', protocolScheme: null });
    });
  }

  it('splits at the first colon', () => {
    expect(splitScheme('http://[::1]:80')).to.deep.equal({
      scheme: 'http', address: '//[::1]:80', protocolScheme: 'http',
    });
  });

  it('leaves the case of a protocol to whoever looks it up', () => {
    expect(splitScheme('Http://a:1').protocolScheme).to.equal('Http');
    expect(splitScheme('HTTP://a:1').protocolScheme).to.equal('HTTP');
    expect(splitScheme('Tcp://a:1').protocolScheme).to.equal('Tcp');
  });

  it('accepts any word of letters and digits that begins with a letter', () => {
    expect(splitScheme('jsonNL2://a:1').protocolScheme).to.equal('jsonNL2');
  });

  for (const [name, scheme] of [
    ['8080', '8080'], ['localhost', 'localhost'], ['tcp', 'tcp'], ['127.0.0.1:80', '127.0.0.1'], ['://a:1', ''],
    ['2http://a:1', '2http'], ['my-proto://a:1', 'my-proto'], ['a_b://a:1', 'a_b'], [' http://a:1', ' http'],
    ['http\n://a:1', 'http\n'], ['\\App\\Proto://a:1', '\\App\\Proto'], ['é://a:1', 'é'],
  ] as const) {
    it(`refuses ${JSON.stringify(name)}`, () => {
      expect(failure(() => splitScheme(name))).to.deep.equal({
        code: 'WM_INVALID_SCHEME', message: `Invalid protocol scheme '${scheme}'`,
      });
    });
  }
});

describe('resolveTransport', () => {
  it('takes the name of a built-in scheme when the transport still is the default', () => {
    for (const scheme of ['tcp', 'udp', 'unix', 'ssl']) {
      expect(resolveTransport(scheme, 'tcp')).to.equal(scheme);
    }
  });

  it('prefers a transport that the user has set', () => {
    expect(resolveTransport('tcp', 'ssl')).to.equal('ssl');
    expect(resolveTransport('ssl', 'udp')).to.equal('udp');
    expect(resolveTransport('http', 'unix')).to.equal('unix');
  });

  it('leaves the default to protocols', () => {
    expect(resolveTransport('http', 'tcp')).to.equal('tcp');
  });

  for (const scheme of ['http', 'tcp', 'unix']) {
    for (const transport of ['xyz', '', 'TCP', 'constructor', '__proto__']) {
      it(`refuses transport '${transport}' with scheme ${scheme}`, () => {
        expect(failure(() => resolveTransport(scheme, transport))).to.deep.equal({
          code: 'WM_BAD_TRANSPORT', message: `Bad worker->transport '${transport}'`,
        });
      });
    }
  }
});

describe('resolveAddress', () => {
  const good: [address: string, host: string, port: number][] = [
    ['//127.0.0.1:21001', '127.0.0.1', 21001],
    ['//0.0.0.0:0', '0.0.0.0', 0],
    ['//localhost:65535', 'localhost', 65535],
    ['//my-host_1.example.:080', 'my-host_1.example.', 80],
    ['//[::]:80', '::', 80],
    ['//[::1]:1', '::1', 1],
    ['//[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
    ['//[::ffff:127.0.0.1]:80', '::ffff:127.0.0.1', 80],
  ];
  for (const [address, host, port] of good) {
    it(`finds host and port in ${address}`, () => {
      const display = `tcp:${address}`;
      expect(resolveAddress(address, 'tcp')).to.deep.equal({ kind: 'tcp', host, port, path: '', display });
    });
  }

  it('opens tcp for ssl, udp for udp and unix for unix', () => {
    expect(resolveAddress('//a:1', 'ssl')).to.include({ kind: 'tcp', display: 'tcp://a:1' });
    expect(resolveAddress('//a:1', 'udp')).to.include({ kind: 'udp', display: 'udp://a:1' });
    expect(resolveAddress('//a:1', 'unix')).to.include({ kind: 'unix', path: 'a:1' });
  });

  const bad = [
    '127.0.0.1', '', ':80', 'a:', 'a:65536', 'a:99999999999999999999', 'a:-1', 'a:+1', 'a:1.5', 'a:0x50', 'a: 80',
    'a:80 ', 'a:80\n', 'a:80/', 'a:80/path', 'a b:80', '::1:80', '::', '[::1]', '[::1]:', '[]:80', '[127.0.0.1]:80',
    '[zz]:80', '[::1]80', 'user@host:80', 'a\0b:80', '/a:80', 'a?b:80', 'a#b:80', 'a\\b:80', '::1]:80', '[::1:80',
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const expected = { code: 'WM_BAD_ADDRESS', message: `Failed to parse address "${text}"` };
      expect(failure(() => resolveAddress(`//${text}`, 'tcp'))).to.deep.equal(expected);
      expect(failure(() => resolveAddress(`//${text}`, 'udp'))).to.deep.equal(expected);
    });
  }

  it('refuses an address without the two slashes', () => {
    expect(failure(() => resolveAddress('127.0.0.1:80', 'tcp')).message).to.equal(
      'Failed to parse address "127.0.0.1:80"',
    );
    expect(failure(() => resolveAddress('/tmp/a.sock', 'unix')).code).to.equal('WM_BAD_ADDRESS');
  });

  it('takes what follows the slashes as the path of a unix socket', () => {
    expect(resolveAddress('///tmp/my sock:1', 'unix')).to.deep.equal({
      kind: 'unix', host: '', port: 0, path: '/tmp/my sock:1', display: 'unix:///tmp/my sock:1',
    });
    expect(resolveAddress('//my.sock', 'unix').path).to.equal('my.sock');
  });

  it('refuses a unix socket without a path or with a zero byte in it', () => {
    expect(failure(() => resolveAddress('//', 'unix')).code).to.equal('WM_BAD_ADDRESS');
    expect(failure(() => resolveAddress('///tmp/a\0b', 'unix')).code).to.equal('WM_BAD_ADDRESS');
  });

  it('refuses a unix path that the system would cut, counting bytes', () => {
    const longest = `/${'ä'.repeat((MAX_UNIX_PATH - 1) / 2)}`;
    expect(Buffer.byteLength(longest)).to.equal(MAX_UNIX_PATH);
    expect(resolveAddress(`//${longest}`, 'unix').path).to.equal(longest);
    const { code, message } = failure(() => resolveAddress(`//${longest}x`, 'unix'));
    expect(code).to.equal('WM_BAD_ADDRESS');
    expect(message).to.include(`${MAX_UNIX_PATH} bytes`).and.to.include(longest);
  });
});

describe('parseSocketName', () => {
  it('combines protocols and transports freely', () => {
    expect(parseSocketName('http://0.0.0.0:443', 'ssl')).to.deep.equal({
      scheme: 'http', protocolScheme: 'http', transport: 'ssl', kind: 'tcp', host: '0.0.0.0', port: 443, path: '',
      display: 'tcp://0.0.0.0:443',
    });
    expect(parseSocketName('text://a:1', 'udp')).to.include({ kind: 'udp', protocolScheme: 'text' });
    expect(parseSocketName('http:///tmp/a.sock', 'unix')).to.include({ kind: 'unix', path: '/tmp/a.sock' });
    expect(parseSocketName('tcp://a:1', 'ssl')).to.include({ transport: 'ssl', protocolScheme: null });
    expect(parseSocketName('unix:///tmp/a.sock')).to.include({ transport: 'unix', path: '/tmp/a.sock' });
  });

  it('complains in the order of scheme, protocol, transport, address', () => {
    const unknown = (): never => {
      throw new WorkermanError('WM_UNKNOWN_SCHEME', 'unknown');
    };
    expect(failure(() => parseSocketName('a-b:x', 'xyz', unknown)).code).to.equal('WM_INVALID_SCHEME');
    expect(failure(() => parseSocketName('ab:x', 'xyz', unknown)).code).to.equal('WM_UNKNOWN_SCHEME');
    expect(failure(() => parseSocketName('ab:x', 'xyz', () => {})).code).to.equal('WM_BAD_TRANSPORT');
    expect(failure(() => parseSocketName('tcp:x', 'xyz', unknown)).code).to.equal('WM_BAD_TRANSPORT');
    expect(failure(() => parseSocketName('ab:x', 'tcp', () => {})).code).to.equal('WM_BAD_ADDRESS');
  });

  it('has protocols looked up, and built-in schemes not', () => {
    const asked: string[] = [];
    for (const name of ['Foo://a:1', 'tcp://a:1', 'ssl://a:1']) {
      parseSocketName(name, 'tcp', (scheme) => asked.push(scheme));
    }
    expect(asked).to.deep.equal(['Foo']);
  });

  it('answers anything or throws a WorkermanError', () => {
    const transport = fc.oneof(fc.constantFrom('tcp', 'udp', 'unix', 'ssl'), fc.string());
    const part = fc.oneof(
      fc.constantFrom('http', 'tcp', 'unix', ':', '/', '//', '://', '[', ']', '::1', '80', '65536', '\0', '%'),
      fc.string({ unit: 'binary' }),
    );
    const name = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(fc.property(name, transport, (text, used) => {
      try {
        const { kind, host, port, path } = parseSocketName(text, used);
        if (kind === 'unix') expect(path).to.not.equal('');
        else expect(host).to.not.equal('');
        expect(port).to.be.within(0, 65535);
      } catch (error) {
        expect(error).to.be.instanceOf(WorkermanError);
      }
    }), { numRuns: 1000 });
  });

  it('gives back the parts of any valid name', () => {
    const host = fc.oneof(fc.ipV4(), fc.domain(), fc.ipV6());
    const scheme = fc.oneof(
      fc.constantFrom('tcp', 'udp', 'ssl', 'http', 'websocket', 'text', 'frame'),
      fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,9}$/),
    );
    const transport = fc.constantFrom('tcp', 'udp', 'ssl');
    fc.assert(fc.property(scheme, host, fc.nat(65535), transport, (word, name, port, used) => {
      fc.pre(word !== 'unix');
      const shown = name.includes(':') ? `[${name}]` : name;
      const parsed = parseSocketName(`${word}://${shown}:${port}`, used);
      const builtIn = Object.hasOwn(BUILD_IN_TRANSPORTS, word);
      expect(parsed).to.include({ scheme: word, protocolScheme: builtIn ? null : word, host: name, port, path: '' });
      expect(parsed.transport).to.equal(builtIn && used === 'tcp' ? word : used);
      expect(parsed.kind).to.equal(BUILD_IN_TRANSPORTS[parsed.transport]);
      expect(parsed.display).to.equal(`${parsed.kind}://${shown}:${port}`);
    }));
  });

  it('gives back any path of a unix socket', () => {
    const path = fc.string({ minLength: 1, maxLength: 25, unit: 'binary' }).filter((text) => !text.includes('\0'));
    fc.assert(fc.property(path, fc.constantFrom('http', 'unix'), (text, scheme) => {
      const parsed = parseSocketName(`${scheme}://${text}`, 'unix');
      expect(parsed).to.include({ kind: 'unix', path: text, host: '', port: 0 });
    }));
  });
});

describe('getSocketName', () => {
  it('puts the first letter in lower case and changes nothing else', () => {
    expect(getSocketName('Http://A.B:80')).to.equal('http://A.B:80');
    expect(getSocketName('HTTP://a:80')).to.equal('hTTP://a:80');
    expect(getSocketName('websocket://a:80')).to.equal('websocket://a:80');
    expect(getSocketName('Éa')).to.equal('Éa');
  });

  it('is none without a name', () => {
    for (const name of ['', null, undefined]) expect(getSocketName(name)).to.equal('none');
  });
});
