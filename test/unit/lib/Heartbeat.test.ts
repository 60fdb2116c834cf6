import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import '../../../protocols/builtIns.js';
import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Response } from '../../../protocols/http/Response.js';
import { Worker } from '../../../lib/Worker.js';
import { until } from '../connection/peers.js';
import { frame, openingRequest, OPCODES } from '../../support/websocket.js';

describe('worker.heartbeat', () => {
  const workers: Worker[] = [];
  // Time stands still unless a test moves it, so that no pause of the machine is taken for the silence of a peer.
  const clock = { now: 0 };
  const realNow = Date.now;
  beforeEach(() => {
    clock.now = realNow();
    Date.now = () => clock.now;
  });
  afterEach(() => {
    Date.now = realNow;
  });
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

  /** So much time goes by that a silent connection is found, on the first Worker; so the others were looked at, too. */
  async function silenceIsFound(): Promise<void> {
    const [{ connections }] = workers as [Worker];
    const before = connections.size;
    const idle = await dial(((workers[0]!.getMainSocket() as Server).address() as AddressInfo).port);
    await until(() => connections.size === before + 1);
    clock.now += 2000;
    await once(idle.resume(), 'close');
  }

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const worker of workers.splice(0)) void worker.stop();
  });

  it('destroys a connection whose peer is silent for longer than the timeout, and no other', async () => {
    const closed: TcpConnection[] = [];
    let heard = 0;
    const port = await serve('tcp', (worker) => {
      worker.heartbeat = { interval: 0.02, timeout: 1 };
      worker.onMessage = () => { heard++; };
      worker.onClose = (connection) => { closed.push(connection); };
    });
    const talking = await dial(port);
    const silent = await dial(port);
    silent.resume();
    const end = once(silent, 'close');
    for (let i = 1; i <= 4; i++) {
      clock.now += 600;
      talking.write('x');
      await until(() => heard === i);
    }
    await end;
    expect(closed.map((connection) => connection.bytesRead)).to.deep.equal([0]);
    expect(talking.readyState).to.equal('open');
  });

  it('hears what came while the process did not get its turn, before it counts the silence', async () => {
    let heard = 0;
    const port = await serve('tcp', (worker) => {
      worker.heartbeat = { interval: 0.02, timeout: 1 };
      worker.onMessage = () => { heard++; };
    });
    const client = await dial(port);
    client.write('x');
    await until(() => heard === 1);
    // From within a timer, as the next look is one: nothing is read between the two.
    await new Promise<void>((resolve) => setTimeout(() => {
      client.write('y', () => resolve());
      clock.now += 2000;
      for (const end = performance.now() + 50; performance.now() < end;);
    }, 1));
    await until(() => heard === 2);
    await once(client.end().resume(), 'close');
  });

  it('sends comment lines into an event stream, whose reader never speaks and stays connected', async () => {
    const port = await serve('http', (worker) => {
      worker.heartbeat = { interval: 0.02, timeout: 1 };
      worker.onMessage = (connection) => {
        connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
      };
    });
    const client = await dial(port);
    let text = '';
    client.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      clock.now += 2000;
    });
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => text.endsWith(':\n\n'.repeat(6)));
    expect(text.split('\r\n\r\n')[1]).to.match(/^(:\n\n)+$/);
    expect(client.readyState).to.equal('open');
  });

  it('destroys an event stream whose reader takes nothing any more', async () => {
    let gone: () => void = () => {};
    const end = new Promise<void>((resolve) => { gone = resolve; });
    let sent: TcpConnection | null = null;
    const port = await serve('http', (worker) => {
      worker.heartbeat = { interval: 0.02, timeout: 1 };
      worker.onClose = () => gone();
      worker.onMessage = (connection) => {
        connection.send(new Response(200, { 'Content-Type': 'text/event-stream' }));
        // More than the buffers of two kernels take.
        connection.maxSendBufferSize = 64 * 1024 * 1024;
        connection.send(`: ${'x'.repeat(32 * 1024 * 1024)}\n\n`, true);
        sent = connection;
      };
    });
    const client = await dial(port);
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => sent !== null);
    // A look at each time: bytes may still move into the buffers of the kernels.
    const aging = setInterval(() => { clock.now += 100; }, 25);
    await end;
    clearInterval(aging);
    expect(client.readyState).to.equal('open');
  });

  it('leaves a request alone whose answer is still being made', async () => {
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => { begin = resolve; });
    let finish: () => void = () => {};
    const port = await serve('http', (worker) => {
      worker.heartbeat = { interval: 0.01, timeout: 1 };
      worker.onMessage = async (connection) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
          begin();
        });
        connection.send('late');
      };
    });
    const client = await dial(port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await begun;
    await silenceIsFound();
    const answer = once(client, 'data') as Promise<[Buffer]>;
    finish();
    expect((await answer)[0].toString()).to.match(/\r\n\r\nlate$/);
  });

  it('leaves a WebSocket alone whose client can only wait for an async callback', async () => {
    const seen: string[] = [];
    let finish: () => void = () => {};
    const slow = (name: string) => (): Promise<void> => new Promise((resolve) => {
      finish = resolve;
      seen.push(name);
    });
    const port = await serve('websocket', (worker) => {
      worker.heartbeat = { interval: 0.01, timeout: 1 };
      worker.onWebSocketConnect = slow('connect');
      worker.onWebSocketClose = slow('close');
    });
    const client = await dial(port);
    client.write(Buffer.concat([Buffer.from(openingRequest()), frame({ opcode: OPCODES.close })]));
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = once(client, 'end');
    for (const name of ['connect', 'close']) {
      await until(() => seen.at(-1) === name);
      await silenceIsFound();
      finish();
    }
    await end;
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
