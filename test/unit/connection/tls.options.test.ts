import { once } from 'node:events';
import { connect, type ConnectionOptions, type EphemeralKeyInfo, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { SslOptions } from '../../../connection/index.js';
import type { Worker } from '../../../lib/types.js';
import '../../../protocols/builtIns.js';
import { localhost } from '../../support/certificates.js';
import { catchReports, until } from './peers.js';
import { portOf, serve, stopAll } from './workers.js';

const STRONG = 'ECDHE-ECDSA-AES256-GCM-SHA384';
const WEAK = 'ECDHE-ECDSA-AES128-GCM-SHA256';

describe('options of context.ssl and context.socket', () => {
  const reports = catchReports();
  const sockets: TLSSocket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await stopAll();
    expect(reports.failures).to.deep.equal([]);
  });

  const listen = (ssl: SslOptions): Promise<Worker> => {
    const { cert, key } = localhost();
    const context = { socket: { tcp_nodelay: false }, ssl: { local_cert: cert, local_pk: key, verify_depth: 1, ...ssl } };
    return serve('text://127.0.0.1:0', context, (worker) => {
      worker.transport = 'ssl';
      worker.onMessage = (connection, line) => void connection.send(line);
    });
  };

  async function dial(worker: Worker, options: ConnectionOptions): Promise<TLSSocket> {
    const socket = connect({ port: portOf(worker), host: '127.0.0.1', rejectUnauthorized: false, ...options });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  it('let the server choose the cipher, unless honor_cipher_order says otherwise', async () => {
    const wishes = { ciphers: `${WEAK}:${STRONG}`, maxVersion: 'TLSv1.2' } as const;
    const own = { ciphers: `${STRONG}:${WEAK}` };
    expect((await dial(await listen(own), wishes)).getCipher().name).to.equal(STRONG);
    const polite = await listen({ ...own, honor_cipher_order: false });
    expect((await dial(polite, wishes)).getCipher().name).to.equal(WEAK);
  });

  it('name the curve of the key exchange', async () => {
    const socket = await dial(await listen({ ecdh_curve: 'P-384' }), { ecdhCurve: 'P-256:P-384' });
    expect((socket.getEphemeralKeyInfo() as EphemeralKeyInfo).size).to.equal(384);
  });

  it('name a file with Diffie-Hellman parameters, which has to be there', async () => {
    const failure = await listen({ dh_param: '/no/such/dh.pem' }).then(
      () => expect.fail('it listens'),
      (error: Error) => error.message,
    );
    expect(failure).to.match(/\/no\/such\/dh\.pem \(ssl\.dh_param\)/);
  });

  it('change nothing where Node has nothing to change', async () => {
    const socket = await dial(await listen({ verify_depth: 9, disable_compression: true }), {});
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString()));
    socket.write('hello\n');
    await until(() => text === 'hello\n');
  });
});
