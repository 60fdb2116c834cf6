import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { certificateFolder, localhost, signed } from '../support/certificates.js';
import { cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';

/** The name in the certificate that is shown on a port; the reason when there is none. */
function shownOn(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', (error) => resolve(error.message));
  });
}

describe('certificates of a running service', function () {
  this.timeout(40_000);
  afterEach(cleanUpScripts);

  const path = (): string => join(certificateFolder(), 'served.pem');

  async function start(port: number): Promise<Script> {
    return startScript({
      source: `
        import { Worker } from 'workerman-ts';
        const worker = new Worker('http://127.0.0.1:${port}', { ssl: { local_cert: ${JSON.stringify(path())} } });
        worker.transport = 'ssl';
        worker.onMessage = (connection) => connection.send('ok');
        Worker.runAll();`,
    }).started();
  }

  for (const command of [['reload'], ['reload', '-g']]) {
    it(`are read again by ${command.join(' ')}`, async () => {
      copyFileSync(localhost().both, path());
      const port = await freePort();
      const script = await start(port);
      expect(await shownOn(port)).to.equal('localhost');
      copyFileSync(signed('renewed.test').both, path());
      expect(await shownOn(port)).to.equal('localhost');
      await script.run(command);
      await waitUntil(async () => (await shownOn(port)) === 'renewed.test', () => script.describe());
      await script.stop();
    });
  }

  it('stop the start when they can not be read, and the message names the file', async () => {
    writeFileSync(path(), 'no certificate');
    const port = await freePort();
    const script = startScript({
      source: `
        import { Worker } from 'workerman-ts';
        new Worker('ssl://127.0.0.1:${port}', { ssl: { local_cert: ${JSON.stringify(path())} } });
        Worker.runAll();`,
    });
    expect((await script.exit()).code).to.equal(1);
    expect(script.output).to.contain(path());
    await script.leavesNothingBehind();
  });
});
