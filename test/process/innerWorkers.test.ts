import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { cleanUpScripts, freePort, waitUntil } from '../support/process.js';
import { bodyOf, startService, until } from '../support/service.js';
import { served, webService } from '../support/services.js';

describe('processes', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  describe('inner Workers', () => {
    it('serve in their process, join getAllWorkers(), and are stopped first; onWorkerStart is not theirs', async () => {
      const inner = await freePort();
      const running = await webService(`
        worker.onWorkerStart = async () => {
          const inner = new Worker('text://127.0.0.1:${inner}');
          inner.name = 'inside';
          inner.onWorkerStart = () => Worker.log('never');
          inner.onWorkerStop = () => Worker.log('inner down');
          inner.onMessage = (connection) => connection.send(Worker.getAllWorkers().length + ' workers');
          await inner.listen();
        };
        worker.onWorkerStop = () => Worker.log('outer down');`);
      await served(running);
      const client = connect(inner, '127.0.0.1');
      client.write('hi\n');
      const answer = await new Promise((resolve) => client.once('data', (data) => resolve(String(data))));
      expect(answer).to.equal('2 workers\n');
      expect((await running.script.run(['connections'])).output).to.match(/ inside +\d+ +tcp +Text /);
      client.destroy();
      expect((await running.script.run(['status'])).output).to.contain('1 workers    1 processes');
      await running.script.stop();
      expect(running.script.output)
        .to.match(/inner down\nouter down\n/)
        .and.not.contain('never');
    });

    it('that are bound and do not accept yet let their clients wait', async () => {
      const inner = await freePort();
      const running = await webService(`
        let inner;
        worker.onWorkerStart = async () => {
          inner = new Worker('text://127.0.0.1:${inner}');
          inner.onMessage = (connection, text) => connection.send('at last ' + text);
          await inner.listen(false);
          Worker.log('bound');
        };
        worker.onMessage = (connection) => {
          inner.resumeAccept();
          connection.send('resumed');
        };`);
      await running.script.waitFor(/bound/);
      const client = connect(inner, '127.0.0.1');
      client.write('hi\n');
      await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
      const answer = new Promise((resolve) => client.once('data', (data) => resolve(String(data))));
      expect(await bodyOf(running.port)).to.equal('resumed');
      expect(await answer).to.equal('at last hi\n');
      client.destroy();
    });

    it('share their port among count processes with reusePort', async () => {
      const inner = await freePort();
      const running = await webService(`
        worker.count = 2;
        worker.onWorkerStart = async () => {
          const inner = new Worker('http://127.0.0.1:${inner}');
          inner.reusePort = true;
          inner.onMessage = (connection) => connection.send(String(worker.id));
          await inner.listen();
          Worker.log('inner up');
        };`);
      await until(running.script, () => running.script.output.split('inner up').length === 3);
      // Where the kernel does not spread clients, who takes the first of them is chance.
      const ids = new Set<string>();
      await waitUntil(
        async () => {
          for (const id of await Promise.all(Array.from({ length: 40 }, () => bodyOf(inner)))) ids.add(id);
          return ids.has('0') && ids.has('1');
        },
        () => `only ${[...ids].join()} has answered: ${running.script.describe()}`,
      );
      expect(ids.size).to.equal(2);
    });

    it('that want a port twice without it fail in the second process, again and again', async () => {
      const inner = await freePort();
      const running = await webService(`
        worker.count = 2;
        worker.onWorkerStart = async () => { await new Worker('tcp://127.0.0.1:${inner}').listen(); };`);
      await running.script.waitForLog(
        /Unable to listen on tcp:\/\/127.0.0.1:\d+: Address already in use[\s\S]*exit with status 64000/,
      );
      await served(running);
    });

    it('whose failure nobody awaits ends the process with 250', async () => {
      const { script, port } = await webService('');
      await script.stop();
      const again = startService(`
        const worker = new Worker('http://127.0.0.1:${port}');
        worker.onWorkerStart = () => { new Worker('tcp://127.0.0.1:${port}').listen(); };`);
      await again.waitForLog(/Address already in use[\s\S]*exit with status 64000/);
    });

    it('on a unix socket have a file, until unlisten()', async () => {
      const { script, port } = await webService(`
        worker.onWorkerStart = async () => {
          worker.inner = new Worker('http://' + new URL('./inner.sock', import.meta.url).pathname);
          worker.inner.transport = 'unix';
          worker.inner.onMessage = (connection) => connection.send('inside');
          await worker.inner.listen();
        };
        worker.onMessage = (connection) => { worker.inner.unlisten(); connection.send('gone'); };`);
      const path = join(script.folder, 'inner.sock');
      await until(script, () => existsSync(path));
      expect(await bodyOf(path)).to.equal('inside');
      expect(await bodyOf(port)).to.equal('gone');
      expect(existsSync(path)).to.equal(false);
    });
  });
});
