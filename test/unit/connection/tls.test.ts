import { chmodSync, copyFileSync, mkdirSync, readFileSync as read, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect as connectPlain, createServer as createPlainServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { AsyncTcpConnection, SslOptions } from '../../../connection/index.js';
import { WorkermanError } from '../../../errors.js';
import type { Worker } from '../../../lib/types.js';
import '../../../protocols/builtIns.js';
import { Response } from '../../../protocols/http/Response.js';
import {
  authority, certificateFolder, encryptedKey, fingerprint, localhost, selfSigned, signed, type CertificateFiles,
} from '../../support/certificates.js';
import { catchReports, countFromHere, settle, until } from './peers.js';
import { client, connectionsOf, portOf, record, serve, stopAll } from './workers.js';

const pair = ({ cert, key }: CertificateFiles): SslOptions => ({ local_cert: cert, local_pk: key });

describe('TLS', () => {
  const reports = catchReports();
  let count: ReturnType<typeof countFromHere>;
  const sockets = new Set<Socket>();
  const closing: (() => Promise<unknown>)[] = [];

  beforeEach(() => (count = countFromHere()));
  afterEach(async () => {
    await stopAll();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await Promise.all(closing.splice(0).map((close) => close()));
    expect(reports.failures).to.deep.equal([]);
    expect(count().connections, 'connection_count').to.equal(0);
  });

  /** A worker that answers each line in capitals. */
  const listen = (ssl: SslOptions, prepare: (worker: Worker) => void = () => {}): Promise<Worker> =>
    serve('text://127.0.0.1:0', { ssl }, (w) => {
      w.transport = 'ssl';
      w.onMessage = (c, line) => c.send(line.toUpperCase());
      prepare(w);
    });

  /** Node's own client. */
  async function dial(worker: Worker, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = connect({ port: portOf(worker), host: '127.0.0.1', ca: authorityPem(), servername: 'localhost', ...options });
    sockets.add(socket);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
    return socket;
  }

  /** How our client fares: what its callbacks told, and what was printed. */
  async function fare(c: AsyncTcpConnection): Promise<string[]> {
    const log = record(c);
    c.onConnect = () => log.push('connect');
    c.send('hello\n');
    c.connect();
    await until(() => log.includes('close') || log.some((line) => line.startsWith('message')));
    return log.filter((line) => line !== 'drain');
  }

  const ourClient = (worker: Worker, ssl: SslOptions = {}, host = 'localhost'): AsyncTcpConnection =>
    client(`ssl://${host}:${portOf(worker)}`, { ssl: { cafile: authority().cert, ...ssl }, socket: {} });

  const authorityPem = (): Buffer => read(authority().cert);

  describe('of a worker', () => {
    it('serves https', async () => {
      const worker = await serve('http://127.0.0.1:0', { ssl: pair(localhost()) }, (w) => {
        w.transport = 'ssl';
        w.onMessage = (c, r) => c.send(`${r.path()} over ${c.transport}`);
      });
      const sent = request({ port: portOf(worker), host: '127.0.0.1', servername: 'localhost', path: '/a', ca: authorityPem(), agent: false }).end();
      const [response] = await once(sent, 'response') as [NodeJS.ReadableStream];
      let body = '';
      for await (const chunk of response) body += String(chunk);
      expect(body).to.equal('/a over ssl');
      expect(reports.lines).to.deep.equal([]);
    });

    it('serves a large file over https and closes behind it when asked to', async () => {
      const path = join(certificateFolder(), 'large');
      const content = Buffer.alloc(5_000_000, 'large file ');
      writeFileSync(path, content);
      const worker = await serve('http://127.0.0.1:0', { ssl: pair(localhost()) }, (w) => {
        w.transport = 'ssl';
        w.onMessage = (c) => c.send(new Response().withFile(path));
      });
      const socket = await dial(worker);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await once(socket, 'end');
      const answer = Buffer.concat(chunks);
      expect(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(content)).to.equal(true);
      await until(() => worker.connections.size === 0);
    });

    it('reads certificate and key from one file, too', async () => {
      const worker = await listen({ local_cert: localhost().both });
      expect((await dial(worker)).authorized).to.equal(true);
    });

    it('opens a key with its passphrase', async () => {
      const local_pk = encryptedKey(localhost(), 'secret');
      const worker = await listen({ local_cert: localhost().cert, local_pk, passphrase: 'secret' });
      expect((await dial(worker)).authorized).to.equal(true);
    });

    it('calls onConnect before the handshake, with everything in place', async () => {
      const seen: unknown[] = [];
      const worker = await listen(pair(localhost()), (w) => {
        w.onConnect = (c) => {
          seen.push(c.transport, c.getStatus(false), c.getRemoteIp(), c.getLocalPort() === portOf(worker), c.send('early'));
          expect(c.bufferIsEmpty()).to.equal(false);
        };
      });
      const raw = connectPlain(portOf(worker), '127.0.0.1');
      sockets.add(raw);
      await until(() => seen.length > 0);
      expect(seen).to.deep.equal(['ssl', 'ESTABLISHED', '127.0.0.1', true, null]);
      const socket = connect({ socket: raw, ca: authorityPem(), servername: 'localhost' });
      sockets.add(socket);
      const [data] = await once(socket, 'data') as [Buffer];
      expect(data.toString()).to.equal('early\n');
    });

    it('closes when the client speaks something else: onClose only, and a line on the console', async () => {
      const log: string[] = [];
      const worker = await listen(pair(localhost()), (w) => {
        w.onConnect = (c) => {
          log.push('connect');
          c.send('queued');
        };
        w.onClose = () => log.push('close');
        w.onError = () => log.push('error');
        w.onMessage = () => log.push('message');
      });
      const raw = connectPlain(portOf(worker), '127.0.0.1', () => raw.write('GET / HTTP/1.0\r\n\r\n'));
      sockets.add(raw);
      raw.on('error', () => {}).resume();
      await once(raw, 'close');
      await until(() => log.length > 1);
      expect(log).to.deep.equal(['connect', 'close']);
      expect(reports.lines).to.deep.equal(['SSL handshake error: http request']);
    });

    it('says nothing of a client that leaves before its handshake', async () => {
      const log: string[] = [];
      const worker = await listen(pair(localhost()), (w) => (w.onClose = () => log.push('close')));
      const polite = connectPlain(portOf(worker), '127.0.0.1', () => polite.end());
      const rude = connectPlain(portOf(worker), '127.0.0.1', () => rude.resetAndDestroy());
      sockets.add(polite).add(rude);
      await until(() => log.length === 2);
      expect(reports.lines).to.deep.equal([]);
    });

    it('lets a client without a handshake go after ten seconds', async () => {
      const { setTimeout: real } = globalThis;
      const limits: number[] = [];
      const expire: (() => void)[] = [];
      globalThis.setTimeout = ((run: () => void, ms: number) => {
        if (ms !== 10_000) return real(run, ms);
        limits.push(ms);
        expire.push(run);
        return real(() => {}, 0);
      }) as typeof setTimeout;
      try {
        const log: string[] = [];
        const worker = await listen(pair(localhost()), (w) => (w.onClose = () => log.push('close')));
        sockets.add(connectPlain(portOf(worker), '127.0.0.1'));
        await until(() => worker.connections.size === 1);
        expect(limits).to.deep.equal([10_000]);
        expire[0]!();
        expect(log).to.deep.equal(['close']);
        expect(reports.lines).to.deep.equal(['SSL handshake error: timed out']);
      } finally {
        globalThis.setTimeout = real;
      }
    });

    it('is closed, ended or destroyed during the handshake without a trace', async () => {
      for (const way of ['close', 'end', 'destroy'] as const) {
        const log: string[] = [];
        const worker = await listen(pair(localhost()), (w) => {
          w.onConnect = (c) => c[way]();
          w.onClose = () => log.push('close');
        });
        const raw = connectPlain(portOf(worker), '127.0.0.1');
        sockets.add(raw);
        raw.on('error', () => {}).on('end', () => raw.end()).resume();
        await once(raw, 'close');
        await until(() => log.length > 0);
        expect(log, way).to.deep.equal(['close']);
      }
      expect(reports.lines).to.deep.equal([]);
    });

    it('sends what close() was given in onConnect, after the handshake', async () => {
      const worker = await listen(pair(localhost()), (w) => (w.onConnect = (c) => c.close('sorry')));
      const socket = await dial(worker);
      let text = '';
      socket.on('data', (data) => (text += String(data)));
      await once(socket, 'end');
      expect(text).to.equal('sorry\n');
    });

    it('says close_notify before its FIN', async () => {
      for (const way of ['close', 'end'] as const) {
        const worker = await listen(pair(localhost()), (w) => (w.onMessage = (c) => c[way]('bye')));
        // The FIN of a relay is told apart from the end of the TLS stream.
        const raw = connectPlain({ port: portOf(worker), host: '127.0.0.1', allowHalfOpen: true });
        sockets.add(raw);
        let rawEnded = false;
        const upper = new (await import('node:stream')).Duplex({
          read() {},
          write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, done),
        });
        raw.on('data', (chunk) => upper.push(chunk)).on('end', () => (rawEnded = true));
        const socket = connect({ socket: upper, ca: authorityPem(), servername: 'localhost' });
        sockets.add(socket);
        socket.on('error', () => {}).resume();
        await once(socket, 'secureConnect');
        socket.write('x\n');
        await once(socket, 'end');
        await until(() => rawEnded);
        raw.destroy();
      }
    });

    it('takes clients without a certificate unless told to verify', async () => {
      const worker = await listen({ ...pair(localhost()), cafile: authority().cert });
      const socket = await dial(worker);
      socket.write('a\n');
      expect(String((await once(socket, 'data'))[0])).to.equal('A\n');
    });

    it('takes a client certificate of its authority', async () => {
      const worker = await listen({ ...pair(localhost()), cafile: authority().cert, verify_peer: true });
      const own = signed('a-client');
      const log = await fare(ourClient(worker, pair(own)));
      expect(log).to.deep.equal(['connect', 'message HELLO\n']);
      const accepted = connectionsOf(worker)[0]!.getSocket() as TLSSocket;
      expect(accepted.authorized).to.equal(true);
      expect(accepted.getPeerCertificate().subject.CN).to.equal('a-client');
    });

    it('takes it again when the session is resumed', async () => {
      const worker = await listen({ ...pair(localhost()), cafile: authority().cert, verify_peer: true });
      const own = signed('a-client');
      const identity = { cert: read(own.cert), key: read(own.key) };
      const first = await dial(worker, { ...identity, maxVersion: 'TLSv1.2' });
      const session = first.getSession();
      first.destroy();
      const second = await dial(worker, { ...identity, maxVersion: 'TLSv1.2', session });
      expect([second.destroyed, second.isSessionReused()]).to.deep.equal([false, true]);
      second.write('a\n');
      expect(String((await once(second, 'data'))[0])).to.equal('A\n');
    });

    const strangers: [who: string, ssl: () => SslOptions, line: RegExp][] = [
      ['without a certificate', () => ({}), /peer did not return a certificate/],
      ['whose certificate nobody has signed', () => pair(selfSigned('a-self-signed-client')), /DEPTH_ZERO_SELF_SIGNED_CERT/],
      ['of another authority', () => pair(signed('a-foreigner', { signer: authority('foreign-authority') })), /UNABLE_TO/],
      ['whose certificate has expired', () => pair(signed('an-old-client', { days: -1 })), /CERT_HAS_EXPIRED/],
    ];
    for (const [who, ssl, line] of strangers) {
      it(`refuses a client ${who} when it verifies`, async () => {
        const messages: unknown[] = [];
        const worker = await listen({ ...pair(localhost()), cafile: authority().cert, verify_peer: true }, (w) => {
          w.onMessage = (_c, text) => messages.push(text);
        });
        const log = await fare(ourClient(worker, ssl()));
        expect(log).to.deep.equal(['connect', 'close']);
        await until(() => worker.connections.size === 0);
        expect(messages).to.deep.equal([]);
        expect(reports.lines[0]).to.match(/^SSL handshake error: /).and.match(line);
      });
    }

    it('takes a self-signed client certificate with allow_self_signed, and no other unknown one', async () => {
      const worker = await listen({ ...pair(localhost()), verify_peer: true, allow_self_signed: true });
      expect(await fare(ourClient(worker, pair(selfSigned('a-self-signed-client'))))).to.deep.equal(['connect', 'message HELLO\n']);
      const foreigner = signed('a-foreigner', { signer: authority('foreign-authority') });
      expect(await fare(ourClient(worker, pair(foreigner)))).to.deep.equal(['connect', 'close']);
    });

    it('takes only the client with the fingerprint it knows', async () => {
      const own = signed('a-client');
      const rule = { ...pair(localhost()), cafile: authority().cert, verify_peer: true, peer_fingerprint: fingerprint(own) };
      const worker = await listen(rule);
      expect(await fare(ourClient(worker, pair(own)))).to.deep.equal(['connect', 'message HELLO\n']);
      expect(await fare(ourClient(worker, pair(signed('another-client'))))).to.deep.equal(['connect', 'close']);
      expect(reports.lines).to.include('SSL handshake error: peer_fingerprint does not match the certificate');
    });

    it('chooses the certificate by the name that the client asks for', async () => {
      const [one, two] = [signed('one.test'), signed('wild', { names: 'DNS:*.two.test' })];
      const worker = await listen({
        ...pair(localhost()),
        SNI_server_certs: { 'one.test': one.both, '*.two.test': { local_cert: two.cert, local_pk: two.key } },
      });
      const shown = async (servername: string): Promise<string> => {
        const socket = await dial(worker, { servername, rejectUnauthorized: false });
        return String(socket.getPeerCertificate().subject.CN);
      };
      expect(await shown('one.test')).to.equal('one.test');
      expect(await shown('ONE.test')).to.equal('one.test');
      expect(await shown('a.two.test')).to.equal('wild');
      expect(await shown('a.b.two.test')).to.equal('localhost');
      expect(await shown('three.test')).to.equal('localhost');
    });

    it('does not with SNI_enabled: false', async () => {
      const worker = await listen({ ...pair(localhost()), SNI_enabled: false, SNI_server_certs: { 'one.test': signed('one.test').both } });
      const socket = await dial(worker, { servername: 'one.test', rejectUnauthorized: false });
      expect(socket.getPeerCertificate().subject.CN).to.equal('localhost');
    });

    it('can do with named certificates alone', async () => {
      const worker = await listen({ SNI_server_certs: { 'one.test': signed('one.test').both } });
      expect((await dial(worker, { servername: 'one.test' })).authorized).to.equal(true);
      expect((await dial(worker, { servername: 'other.test' })).authorized).to.equal(false);
    });

    it('verifies clients under every name', async () => {
      const worker = await listen({
        ...pair(localhost()), cafile: authority().cert, verify_peer: true, SNI_server_certs: { 'one.test': signed('one.test').both },
      });
      const good = ourClient(worker, { ...pair(signed('a-client')), peer_name: 'one.test' });
      expect(await fare(good)).to.deep.equal(['connect', 'message HELLO\n']);
      const bad = ourClient(worker, { ...pair(selfSigned('a-self-signed-client')), peer_name: 'one.test' });
      expect(await fare(bad)).to.deep.equal(['connect', 'close']);
    });

    it('agrees on an application protocol', async () => {
      const worker = await listen({ ...pair(localhost()), alpn_protocols: 'h2, http/1.1' });
      expect((await dial(worker, { ALPNProtocols: ['http/1.1'] })).alpnProtocol).to.equal('http/1.1');
      const c = ourClient(worker, { alpn_protocols: 'http/1.1,h2' });
      await fare(c);
      expect((c.getSocket() as TLSSocket).alpnProtocol).to.equal('h2');
    });

    it('speaks the versions and ciphers it is told to', async () => {
      const worker = await listen({ ...pair(localhost()), crypto_method: 32, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', no_ticket: true });
      const socket = await dial(worker);
      expect([socket.getProtocol(), socket.getCipher().name]).to.deep.equal(['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256']);
      expect((await dial(worker, { minVersion: 'TLSv1.3' })).authorized).to.equal(false);
    });

    it('takes PHP’s "any TLS" for today’s versions', async () => {
      const worker = await listen({ ...pair(localhost()), crypto_method: 121, security_level: 1 });
      expect((await dial(worker)).getProtocol()).to.equal('TLSv1.3');
      const old = await dial(worker, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
      expect(old.authorized).to.equal(false);
    });

    it('finds its authorities in a folder', async () => {
      const folder = join(certificateFolder(), 'capath');
      mkdirSync(folder, { recursive: true });
      copyFileSync(authority().cert, join(folder, 'a.pem'));
      writeFileSync(join(folder, 'README'), 'no certificate');
      mkdirSync(join(folder, 'old'), { recursive: true });
      const worker = await listen({ ...pair(localhost()), capath: folder, verify_peer: true });
      expect(await fare(ourClient(worker, pair(signed('a-client'))))).to.deep.equal(['connect', 'message HELLO\n']);
    });

    const broken: [what: string, ssl: () => SslOptions, message: RegExp][] = [
      ['there is none', () => ({}), /context\.ssl\.local_cert/],
      ['it is missing', () => ({ local_cert: '/no/such/cert.pem' }), /\/no\/such\/cert\.pem \(ssl\.local_cert\).*ENOENT/],
      ['its key is missing', () => ({ local_cert: localhost().cert, local_pk: '/no/such/key.pem' }), /\/no\/such\/key\.pem \(ssl\.local_pk\)/],
      ['it is a folder', () => ({ local_cert: certificateFolder() }), /EISDIR/],
      ['it has no key', () => ({ local_cert: localhost().cert }), /localhost\.crt/],
      ['the key is another’s', () => ({ local_cert: localhost().cert, local_pk: authority().key }), /localhost\.crt with the key .*authority\.key/],
      ['the passphrase is wrong', () => ({ local_cert: localhost().cert, local_pk: encryptedKey(localhost(), 'secret'), passphrase: 'x' }), /encrypted/],
      ['an authority is missing', () => ({ ...pair(localhost()), cafile: '/no/ca' }), /\/no\/ca \(ssl\.cafile\)/],
      ['the folder of authorities is missing', () => ({ ...pair(localhost()), capath: '/no/folder' }), /\/no\/folder \(ssl\.capath\)/],
      ['that of a name is missing', () => ({ ...pair(localhost()), SNI_server_certs: { a: '/no/a.pem' } }), /\/no\/a\.pem/],
    ];
    for (const [what, ssl, message] of broken) {
      it(`does not listen with a certificate when ${what}`, async () => {
        let worker: Worker | undefined;
        let error: unknown;
        await listen(ssl(), (w) => (worker = w)).catch((thrown: unknown) => (error = thrown));
        expect(error).to.be.instanceOf(WorkermanError);
        expect((error as WorkermanError).code).to.equal('WM_CERTIFICATE');
        expect((error as WorkermanError).message).to.match(message);
        expect(worker!.getMainSocket()).to.equal(null);
      });
    }

    it('does not listen with a certificate that it may not read', async function () {
      const path = join(certificateFolder(), 'locked.pem');
      copyFileSync(localhost().both, path);
      chmodSync(path, 0);
      let error: unknown;
      await listen({ local_cert: path }).catch((thrown: unknown) => (error = thrown));
      // Root may read everything.
      if (process.getuid?.() === 0) expect(error).to.equal(undefined);
      else expect((error as WorkermanError).message).to.match(/locked\.pem .*EACCES/);
    });

    it('reads its certificate when it starts to listen, and again when it starts anew', async () => {
      const path = join(certificateFolder(), 'current.pem');
      copyFileSync(localhost().both, path);
      const worker = await listen({ local_cert: path });
      writeFileSync(path, 'gone');
      const shown = async (): Promise<string> => String((await dial(worker, { rejectUnauthorized: false })).getPeerCertificate().subject.CN);
      expect(await shown()).to.equal('localhost');
      copyFileSync(signed('one.test').both, path);
      worker.unlisten();
      await worker.listen();
      expect(await shown()).to.equal('one.test');
    });
  });

  describe('of a client', () => {
    it('carries data after a handshake that onConnect does not wait for', async () => {
      const worker = await listen(pair(localhost()));
      const c = ourClient(worker);
      const log = record(c);
      c.onConnect = () => {
        log.push(`connect ${c.getStatus(false)} ${c.bytesWritten} ${String(c.send('two\n'))}`);
      };
      c.send('one\n');
      c.connect();
      await until(() => log.filter((line) => line.startsWith('message')).join('').includes('TWO'));
      expect(log[0]).to.equal('connect ESTABLISHED 0 null');
      expect(c.getRemoteAddress()).to.match(/^(127\.0\.0\.1|\[::1\]):\d+$/);
      expect(c.getRemoteHost()).to.equal('localhost');
      expect((c.getSocket() as TLSSocket).servername).to.equal('localhost');
      expect((c.getSocket() as TLSSocket).authorized).to.equal(true);
    });

    it('is chosen by the scheme or by transport', async () => {
      const worker = await listen(pair(localhost()));
      const ssl = { cafile: authority().cert };
      const byScheme = client(`tls://localhost:${portOf(worker)}`, { ssl });
      expect(await fare(byScheme)).to.deep.equal(['connect', 'message HELLO\n']);
      const byTransport = client(`text://localhost:${portOf(worker)}`, { ssl });
      byTransport.transport = 'ssl';
      expect((await fare(byTransport)).slice(0, 2)).to.deep.equal(['connect', 'message HELLO']);
    });

    it('accepts an ip address that the certificate names, and sends no name then', async () => {
      const worker = await listen(pair(localhost()));
      const c = ourClient(worker, {}, '127.0.0.1');
      expect(await fare(c)).to.deep.equal(['connect', 'message HELLO\n']);
      expect((c.getSocket() as TLSSocket).servername).to.be.oneOf([null, false, undefined, '']);
    });

    const refusals: [what: string, files: () => CertificateFiles, ssl: () => SslOptions, line: RegExp][] = [
      ['for another name', () => signed('one.test'), () => ({}), /does not match.*localhost/],
      ['that is expired', () => signed('localhost-old', { days: -1, names: 'DNS:localhost' }), () => ({}), /CERT_HAS_EXPIRED/],
      ['that is self-signed', () => selfSigned('localhost-self'), () => ({}), /DEPTH_ZERO_SELF_SIGNED_CERT/],
      ['of an authority that it does not know', localhost, () => ({ cafile: authority('foreign-authority').cert }), /UNABLE_TO/],
      ['of an authority that only others know', localhost, () => ({ cafile: undefined }), /UNABLE_TO/],
      ['for another name than peer_name', localhost, () => ({ peer_name: 'other.test' }), /does not match.*other\.test/],
      ['for another name, self-signed and allowed', () => selfSigned('self.test'), () => ({ allow_self_signed: true }), /does not match/],
      ['for another name, not verified otherwise', () => selfSigned('self.test'), () => ({ verify_peer: false }), /does not match/],
      ['with another fingerprint', localhost, () => ({ peer_fingerprint: '0'.repeat(40) }), /peer_fingerprint/],
    ];
    for (const [what, files, ssl, line] of refusals) {
      it(`refuses a certificate ${what}: onClose only, and a line on the console`, async () => {
        const messages: unknown[] = [];
        const worker = await listen(pair(files()), (w) => (w.onMessage = (_c, text) => messages.push(text)));
        expect(await fare(ourClient(worker, ssl()))).to.deep.equal(['connect', 'close']);
        await until(() => worker.connections.size === 0);
        expect(messages).to.deep.equal([]);
        expect(reports.lines[0]).to.match(/^SSL handshake error: /).and.match(line);
      });
    }

    const acceptances: [what: string, files: () => CertificateFiles, ssl: () => SslOptions][] = [
      ['for another name with peer_name', () => signed('one.test'), () => ({ peer_name: 'one.test' })],
      ['for another name with verify_peer_name: false', () => signed('one.test'), () => ({ verify_peer_name: false })],
      ['that is self-signed with allow_self_signed', () => selfSigned('self.test'), () => ({ allow_self_signed: true, peer_name: 'self.test' })],
      ['of anybody with verify_peer: false', () => selfSigned('self.test'), () => ({ verify_peer: false, verify_peer_name: false })],
      ['with its SHA-256 fingerprint', localhost, () => ({ peer_fingerprint: fingerprint(localhost()) })],
      ['with its SHA-1 fingerprint', localhost, () => ({ peer_fingerprint: fingerprint(localhost(), 'sha1').toUpperCase() })],
      ['with a named fingerprint', localhost, () => ({ peer_fingerprint: { sha256: fingerprint(localhost()) } })],
    ];
    for (const [what, files, ssl] of acceptances) {
      it(`accepts a certificate ${what}`, async () => {
        const worker = await listen(pair(files()));
        expect(await fare(ourClient(worker, ssl()))).to.deep.equal(['connect', 'message HELLO\n']);
        expect(reports.lines).to.deep.equal([]);
      });
    }

    it('sends no name with SNI_enabled: false', async () => {
      const worker = await listen({ ...pair(localhost()), SNI_server_certs: { localhost: signed('one.test').both } });
      expect(await fare(ourClient(worker, { SNI_enabled: false }))).to.deep.equal(['connect', 'message HELLO\n']);
    });

    it('closes when the peer does not speak TLS', async () => {
      const server = createPlainServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      });
      closing.push(() => new Promise((resolve) => server.close(resolve)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const c = client(`ssl://localhost:${(server.address() as AddressInfo).port}`, { ssl: { cafile: authority().cert } });
      c.onError = () => expect.fail('no onError');
      expect(await fare(c)).to.deep.equal(['connect', 'close']);
      expect(reports.lines[0]).to.match(/^SSL handshake error: (wrong|packet|tls)/i);
    });

    it('closes when the peer leaves instead of a handshake', async () => {
      const server = createPlainServer((socket) => void socket.on('error', () => {}).resume().end());
      closing.push(() => new Promise((resolve) => server.close(resolve)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const c = client(`ssl://localhost:${(server.address() as AddressInfo).port}`);
      expect(await fare(c)).to.deep.equal(['connect', 'close']);
      expect(reports.lines).to.have.length(1);
    });

    it('carries WebSocket, again after a reconnect', async () => {
      const worker = await serve('websocket://127.0.0.1:0', { ssl: pair(localhost()) }, (w) => {
        w.transport = 'ssl';
        w.onMessage = (c, text) => c.send(`${text}!`);
      });
      const c = client(`ws://localhost:${portOf(worker)}/path`, { ssl: { cafile: authority().cert } });
      c.transport = 'ssl';
      const log = record(c);
      c.onClose = () => {
        c.reconnect();
        c.send('two');
      };
      c.send('one');
      c.connect();
      await until(() => log.includes('message one!'));
      connectionsOf(worker)[0]!.close();
      await until(() => log.includes('message two!'));
      expect(reports.lines).to.deep.equal([]);
    });

    it('makes a new handshake for each reconnect', async () => {
      const worker = await listen(pair(localhost()));
      const c = ourClient(worker);
      const log = record(c);
      const seen = new Set<unknown>();
      for (let round = 1; round <= 5; round++) {
        c.reconnect();
        c.send(`round ${round}\n`);
        await until(() => log.some((line) => line === `message ROUND ${round}\n`));
        seen.add(c.getSocket());
      }
      expect(seen.size).to.equal(5);
      await until(() => worker.connections.size === 1);
      expect(log.filter((line) => !/^(message|drain)/.test(line))).to.deep.equal([]);
    });

    it('is closed, ended or destroyed during the handshake without a trace', async () => {
      for (const way of ['close', 'end', 'destroy'] as const) {
        const worker = await listen(pair(localhost()));
        const c = ourClient(worker);
        const log = record(c);
        c.onConnect = () => c[way]();
        c.connect();
        await until(() => log.includes('close'));
        expect(log, way).to.deep.equal(['close']);
        await until(() => worker.connections.size === 0);
      }
    });

    it('keeps a pause from before the handshake', async () => {
      const worker = await listen(pair(localhost()), (w) => (w.onConnect = (c) => c.send('early')));
      const c = ourClient(worker);
      const log = record(c);
      c.pauseRecv();
      c.connect();
      c.send('x\n');
      await until(() => connectionsOf(worker)[0]?.bytesRead === 2);
      await settle();
      expect(log.filter((line) => line.startsWith('message'))).to.deep.equal([]);
      c.resumeRecv();
      await until(() => log.filter((line) => line.startsWith('message')).join('').includes('X'));
    });

    it('talks to another implementation', async () => {
      const server = createServer({ cert: read(localhost().cert), key: read(localhost().key) }, (socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).pipe(socket);
      });
      closing.push(() => new Promise((resolve) => server.close(resolve)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const c = client(`ssl://localhost:${(server.address() as AddressInfo).port}`, { ssl: { cafile: authority().cert } });
      expect(await fare(c)).to.deep.equal(['connect', 'message hello\n']);
    });
  });
});

