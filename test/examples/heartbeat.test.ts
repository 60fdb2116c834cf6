import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { cleanUpExamples, startExample } from '../support/examples.js';
import { waitUntil } from '../support/process.js';

describe('the example heartbeat', function () {
  this.timeout(150_000);
  afterEach(cleanUpExamples);

  it('closes who is silent, with or without a word before, and nobody else', async () => {
    const env = { HEARTBEAT_TIME: '1', CHECK_INTERVAL: '0.1' };
    const example = await startExample('heartbeat.ts', { replacePorts: [1234], env });
    const closed: string[] = [];
    const client = (name: string): Socket => {
      const socket = connect(example.port(1234), '127.0.0.1');
      return socket.on('error', () => {}).on('close', () => closed.push(name));
    };
    const [idle, silent, active] = [client('idle'), client('silent'), client('active')];
    idle.resume().write('once\n');
    silent.resume();
    active.resume();
    const writing = setInterval(() => active.write('here\n'), 50);
    try {
      await waitUntil(() => closed.length === 2, () => `two connections to be closed: ${closed.join()}`);
      expect(closed).to.have.members(['idle', 'silent']);
    } finally {
      clearInterval(writing);
    }
    await waitUntil(() => closed.includes('active'), () => 'the end of the one that has stopped writing');
    await example.stop();
  });
});
