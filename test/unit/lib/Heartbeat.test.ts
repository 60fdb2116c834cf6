import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import '../../../protocols/builtIns.js';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Response } from '../../../protocols/http/Response.js';
import { Worker } from '../../../lib/Worker.js';
import { frame, openingRequest, OPCODES } from '../../support/websocket.js';

describe('worker.heartbeat', () => {
  const workers: Worker[] = [];
  const clients: Socket[] = [];

  async function serve(scheme: string, prepare: (worker: Worker) => void): Promise<number> {
    const worker = new Worker(`${scheme}://127.0.0.1:0`);
    workers.push(worker);
    prepare(worker);
    await worker.listen();
    return ((worker.getMainSocket() as Server).address() as AddressInfo).port;
  }

  async function dial(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    clients.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const worker of workers.splice(0)) void worker.stop();
  });

  it('destroys a connection whose peer is silent for longer than the timeout, and no other', async () => {
    let closed = 0;
    const port = await serve('tcp', (worker) => {
      worker.heartbeat = { interval: 0.02, timeout: 1 };
      worker.onClose = () => { closed++; };
    });
    const talking = await dial(port);
    const chatter = setInterval(() => talking.write('x'), 20);
    const silent = await dial(port);
    silent.resume();
    await once(silent, 'close');
    clearInterval(chatter);
    expect(closed).to.equal(1);
    expect(talking.readyState).to.equal('open');
  });

  it('sends comment lines into an event stream, whose reader never speaks and stays connected', async () => {
    const port = await serve('http', (worker) => {
      worker.heartbeat = { interval: 0.02, timeout: 0.05 };
      worker.onMessage = (connection) => {
        connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
      };
    });
    const client = await dial(port);
    let text = '';
    client.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    while (!text.endsWith(':\n\n:\n\n:\n\n:\n\n:\n\n:\n\n')) await once(client, 'data');
    expect(text.split('\r\n\r\n')[1]).to.match(/^(:\n\n)+$/);
    expect(client.readyState).to.equal('open');
  });

  it('destroys an event stream whose reader takes nothing any more', async () => {
    let gone: () => void = () => {};
    const end = new Promise<void>((resolve) => { gone = resolve; });
    const port = await serve('http', (worker) => {
      worker.heartbeat = { interval: 0.02, timeout: 1 };
      worker.onClose = () => gone();
      worker.onMessage = (connection) => {
        connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
        // More than the buffers of two kernels take.
        connection.maxSendBufferSize = 64 * 1024 * 1024;
        connection.send(`: ${'x'.repeat(32 * 1024 * 1024)}\n\n`, true);
      };
    });
    const client = await dial(port);
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await end;
    expect(client.readyState).to.equal('open');
  });

  it('leaves a request alone whose answer is still being made', async () => {
    const port = await serve('http', (worker) => {
      worker.heartbeat = { interval: 0.01, timeout: 0.03 };
      worker.onMessage = async (connection) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        connection.send('late');
      };
    });
    const client = await dial(port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [chunk] = (await once(client, 'data')) as [Buffer];
    expect(chunk.toString()).to.match(/\r\n\r\nlate$/);
  });

  it('leaves a WebSocket alone whose client can only wait for an async callback', async () => {
    const slow = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
    const port = await serve('websocket', (worker) => {
      worker.heartbeat = { interval: 0.01, timeout: 0.03 };
      worker.onWebSocketConnect = slow;
      worker.onWebSocketClose = slow;
    });
    const client = await dial(port);
    client.write(Buffer.concat([Buffer.from(openingRequest()), frame({ opcode: OPCODES.close })]));
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(client, 'end');
    const bytes = Buffer.concat(chunks);
    expect(bytes.toString('latin1')).to.match(/^HTTP\/1\.1 101 /);
    expect(bytes.subarray(-4)).to.deep.equal(Buffer.of(0x88, 2, 0x03, 0xe8));
  });

  it('says what it expected when the options are wrong', async () => {
    for (const heartbeat of [{ interval: 0, timeout: 1 }, { interval: 1, timeout: Number.NaN }, { interval: 1, timeout: -1 }]) {
      const worker = new Worker('tcp://127.0.0.1:0');
      workers.push(worker);
      worker.heartbeat = heartbeat;
      const error: unknown = await worker.listen().catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.match(/^worker\.heartbeat\.\w+ is a positive number of seconds, got /);
    }
  });
});

describe('worker.broadcast', () => {
  it('sends to every connection but the ones left out, and says how many took it', async () => {
    const worker = new Worker('text://127.0.0.1:0');
    const connected: TcpConnection[] = [];
    worker.onConnect = (connection) => { connected.push(connection); };
    await worker.listen();
    const { port } = (worker.getMainSocket() as Server).address() as AddressInfo;
    const lines: string[] = ['', '', ''];
    const sockets: Socket[] = [];
    for (const i of lines.keys()) {
      const socket = connect(port, '127.0.0.1');
      socket.setEncoding('utf8').on('data', (chunk: string) => { lines[i] += chunk; });
      await once(socket, 'connect');
      while (connected.length <= i) await new Promise((resolve) => setImmediate(resolve));
      sockets.push(socket);
    }
    expect(worker.broadcast('all')).to.equal(3);
    expect(worker.broadcast('not the first', connected[0])).to.equal(2);
    expect(worker.broadcast('only the last', connected.slice(0, 2))).to.equal(1);
    const ends = sockets.map((socket) => once(socket, 'end'));
    void worker.stop();
    await Promise.all(ends);
    expect(lines).to.deep.equal(['all\n', 'all\nnot the first\n', 'all\nnot the first\nonly the last\n']);
  });
});
