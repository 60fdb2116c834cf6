import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bindSocket, boundPort, closeSocket, type BindAddress } from '../../../lib/bindSocket.js';
import { Listener, type ListenerOwner, type SocketProvider } from '../../../lib/Listener.js';
import { settle, until } from '../connection/peers.js';

const tcp = (port = 0): BindAddress => ({ kind: 'tcp', host: '127.0.0.1', port, path: '', display: 'tcp://127.0.0.1' });
const udp = (port = 0): BindAddress => ({ ...tcp(port), kind: 'udp', display: 'udp://127.0.0.1' });

class Owner implements ListenerOwner {
  readonly needsSockets = true;
  readonly sockets: Socket[] = [];
  readonly datagrams: string[] = [];
  readonly failures: unknown[] = [];
  accepted(socket: Socket): void {
    socket.on('error', () => {});
    this.sockets.push(socket);
  }
  datagram(data: Buffer, _remote: RemoteInfo, _socket: UdpSocket): void {
    this.datagrams.push(String(data));
  }
  failed(error: unknown): void {
    this.failures.push(error);
  }
}

describe('Listener', () => {
  const listeners: Listener[] = [];
  const clients: Socket[] = [];
  let owner: Owner;
  beforeEach(() => (owner = new Owner()));
  afterEach(() => {
    for (const listener of listeners.splice(0)) listener.close();
    for (const socket of [...clients.splice(0), ...owner.sockets]) socket.destroy();
    expect(owner.failures).to.deep.equal([]);
  });

  function make(address: BindAddress, provider: SocketProvider | null = null): Listener {
    const listener = new Listener(address, 511, false, owner, provider);
    listeners.push(listener);
    return listener;
  }

  async function client(address: BindAddress): Promise<Socket> {
    const socket = connect(
      address.kind === 'unix' ? { path: address.path } : { port: address.port, host: '127.0.0.1' },
    );
    clients.push(socket);
    socket.on('error', () => {});
    await until(() => !socket.connecting);
    return socket;
  }

  /** Whether the address can be bound. */
  async function isFree(address: BindAddress): Promise<boolean> {
    try {
      closeSocket(await bindSocket({ ...address }, false));
      return true;
    } catch (error) {
      expect(error).to.have.property('code', 'EADDRINUSE');
      return false;
    }
  }

  describe('of a process of its own', () => {
    it('is bound by open(), once, and tells the port', async () => {
      const listener = make(tcp());
      expect(listener.bound).to.equal(false);
      const opening = listener.open();
      expect(listener.open()).to.equal(opening);
      await opening;
      expect(listener.bound).to.equal(true);
      expect(listener.accepting).to.equal(false);
      expect(listener.server).to.equal(null);
      expect(listener.address.port).to.be.greaterThan(0);
      expect(await isFree(listener.address)).to.equal(false);
    });

    it('accepts after resume(), half-open sockets', async () => {
      const listener = make(tcp());
      await listener.open();
      await listener.resume();
      await listener.resume();
      expect(listener.accepting).to.equal(true);
      expect((listener.server!.address() as AddressInfo).port).to.equal(listener.address.port);
      const socket = await client(listener.address);
      await until(() => owner.sockets.length === 1);
      expect(owner.sockets[0]!.remotePort).to.equal(socket.localPort);
      expect(owner.sockets[0]!.allowHalfOpen).to.equal(true);
    });

    it('does not accept before it is bound', async () => {
      const listener = make(tcp());
      await listener.resume();
      expect(listener.accepting).to.equal(false);
    });

    it('holds clients back while it is paused', async () => {
      const listener = make(tcp());
      await listener.open();
      await listener.resume();
      listener.pause();
      listener.pause();
      const socket = await client(listener.address);
      socket.write('hello');
      await settle();
      expect(owner.sockets).to.have.length(0);
      await listener.resume();
      await until(() => owner.sockets.length === 1);
      let text = '';
      owner.sockets[0]!.on('data', (chunk) => (text += String(chunk)));
      await until(() => text === 'hello');
    });

    it('survives clients that go while they are held back, and forgets them', async () => {
      const listener = make(tcp());
      await listener.open();
      await listener.resume();
      listener.pause();
      const gone = await client(listener.address);
      await settle();
      gone.resetAndDestroy();
      await settle();
      const stays = await client(listener.address);
      await settle();
      await listener.resume();
      expect(owner.sockets.map((socket) => socket.remotePort)).to.deep.equal([stays.localPort]);
    });

    it('gives the address back in close(), whether it has accepted or not', async () => {
      for (const address of [tcp(), udp()]) {
        for (const accepts of [false, true]) {
          const listener = make(address);
          await listener.open();
          if (accepts) await listener.resume();
          listener.close();
          listener.close();
          expect(listener.bound).to.equal(false);
          expect(listener.accepting).to.equal(false);
          expect(listener.server).to.equal(null);
          expect(await isFree(listener.address)).to.equal(true);
          await listener.open();
          await listener.resume();
          expect(await isFree(listener.address)).to.equal(false);
          listener.close();
        }
      }
    });

    it('does not keep an address for which it was closed before it was bound', async () => {
      const listener = make(tcp());
      const port = await (async () => {
        const other = make(tcp());
        await other.open();
        other.close();
        return other.address.port;
      })();
      listener.address.port = port;
      const opening = listener.open();
      listener.close();
      await opening;
      expect(listener.bound).to.equal(false);
      expect(await isFree(listener.address)).to.equal(true);
    });

    it('says which address can not be bound and why', async () => {
      const first = make(tcp());
      await first.open();
      const second = make(tcp(first.address.port));
      const error = await second.open().then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).to.have.property('code', 'EADDRINUSE');
      expect(error).to.have.property('message', 'Unable to listen on tcp://127.0.0.1: Address already in use');
      expect(second.bound).to.equal(false);
    });

    it('says of a unix socket whose folder is missing that there is no such folder', async () => {
      const path = join(tmpdir(), `workerman-ts-${process.pid}-missing`, 'a.sock');
      const listener = make({ kind: 'unix', host: '', port: 0, path, display: `unix://${path}` });
      const error = await listener.open().then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).to.have.property('code', 'ENOENT');
      expect(error).to.have.property('message', `Unable to listen on unix://${path}: No such file or directory`);
    });

    it('listens on a unix socket, whose file it removes', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'workerman-ts-'));
      try {
        const path = join(folder, 'a.sock');
        const address: BindAddress = { kind: 'unix', host: '', port: 0, path, display: `unix://${path}` };
        for (let round = 0; round < 3; round++) {
          const listener = make({ ...address });
          await listener.open();
          expect(existsSync(path)).to.equal(true);
          if (round > 0) {
            await listener.resume();
            await client(address);
            await until(() => owner.sockets.length === round);
          }
          listener.close();
          expect(existsSync(path)).to.equal(false);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('hands out datagrams while it accepts', async () => {
      const listener = make(udp());
      await listener.open();
      await listener.resume();
      const sender = createSocket('udp4');
      try {
        sender.send('one', listener.address.port, '127.0.0.1');
        await until(() => owner.datagrams.length === 1);
        listener.pause();
        sender.send('lost', listener.address.port, '127.0.0.1');
        await settle();
        await listener.resume();
        sender.send('two', listener.address.port, '127.0.0.1');
        await until(() => owner.datagrams.length === 2);
        expect(owner.datagrams).to.deep.equal(['one', 'two']);
      } finally {
        sender.close();
      }
    });
  });

  describe('with a master', () => {
    /** A master in this process: one bound socket, of which it gives out copies. */
    class Master implements SocketProvider {
      readonly calls: string[] = [];
      readonly handles: { closed: boolean }[] = [];
      /** Answers wait for this. */
      gate: Promise<void> = Promise.resolve();
      async bind(address: BindAddress, own: boolean): Promise<number> {
        this.calls.push(`bind ${own}`);
        await this.gate;
        return address.port || 4711;
      }
      async acquire(address: BindAddress, own: boolean): Promise<{ handle: unknown }> {
        this.calls.push(`acquire ${own}`);
        await this.gate;
        // A real handle, so that a server can be opened on it.
        const { raw } = await bindSocket(tcp(), false);
        address.port = boundPort({ raw: raw!, dgram: null });
        const entry = { closed: false };
        const { close } = raw!;
        raw!.close = (...args) => {
          entry.closed = true;
          close.apply(raw, args);
        };
        this.handles.push(entry);
        return { handle: raw };
      }
      release(_address: BindAddress, own: boolean): void {
        this.calls.push(`release ${own}`);
      }
    }

    it('asks for the address, for a copy to accept from, and gives both back', async () => {
      const master = new Master();
      const listener = make(tcp(), master);
      await listener.open();
      expect(listener.address.port).to.equal(4711);
      await listener.resume();
      await client(listener.address);
      await until(() => owner.sockets.length === 1);
      listener.pause();
      expect(listener.server).to.equal(null);
      await listener.resume();
      listener.close();
      expect(master.calls).to.deep.equal(['bind false', 'acquire false', 'acquire false', 'release false']);
    });

    it('gives a copy back that comes too late', async () => {
      const master = new Master();
      const listener = make(tcp(), master);
      await listener.open();
      let open: () => void = () => {};
      master.gate = new Promise((resolve) => (open = resolve));
      const resuming = listener.resume();
      listener.pause();
      open();
      await resuming;
      expect(listener.server).to.equal(null);
      expect(master.handles.map(({ closed }) => closed)).to.deep.equal([true]);
    });

    it('gives an address back that comes too late', async () => {
      const master = new Master();
      const listener = make(tcp(), master);
      let open: () => void = () => {};
      master.gate = new Promise((resolve) => (open = resolve));
      const opening = listener.open();
      listener.close();
      open();
      await opening;
      expect(listener.bound).to.equal(false);
      expect(master.calls).to.deep.equal(['bind false', 'release false']);
    });
  });
});
