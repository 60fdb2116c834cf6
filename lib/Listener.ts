import type { Socket as UdpSocket, RemoteInfo } from 'node:dgram';
import { Socket, type Server } from 'node:net';
import { acceptWires, type HandleWire } from '../connection/wire/HandleWire.js';
import {
  armSocket, bindSocket, boundPort, closeSocket, listenError, removeSocketFile, sendAtOnce, serverOn,
  type BindAddress, type BoundSocket,
} from './bindSocket.js';
import { needsSpareDescriptor } from './descriptors.js';

/** Who gets what arrives at a listening socket. */
export interface ListenerOwner {
  /** Plain connections may come without a socket of Node's; TLS needs one. */
  readonly needsSockets: boolean;
  accepted(socket: Socket | HandleWire): void;
  datagram(data: Buffer, remote: RemoteInfo, socket: UdpSocket): void;
  failed(error: unknown): void;
}

/** A handle obtained from whoever holds the bound socket. */
export type ForeignHandle = { handle: unknown };

/** Where sockets come from: in a worker process, the master. */
export interface SocketProvider {
  /** Makes sure that the address is bound. Rejects with the error of the bind. @returns the port */
  bind(address: BindAddress, own: boolean): Promise<number>;
  /** A copy of the bound socket, to accept from. */
  acquire(address: BindAddress, own: boolean): Promise<ForeignHandle>;
  /** This process needs the address no more. */
  release(address: BindAddress, own: boolean): void;
}

/**
 * One listening socket of this process: bound by {@link open}, accepting between {@link resume} and {@link pause},
 * gone after {@link close}.
 *
 * In a worker process the master holds the bound socket; accepting means opening a server on a copy of it, pausing
 * means closing that copy, so that waiting clients stay in the kernel's queue for whoever accepts next. Without a master
 * (a Worker used in a plain program) the socket is this process's own, and clients that arrive while it is paused are
 * held until it resumes.
 */
export class Listener {
  readonly address: BindAddress;
  readonly #backlog: number;
  readonly #own: boolean;
  readonly #owner: ListenerOwner;
  readonly #provider: SocketProvider | null;
  #bound: Promise<void> | null = null;
  #isBound = false;
  #local: BoundSocket | null = null;
  #server: Server | null = null;
  #udp: UdpSocket | null = null;
  #accepting = false;
  /** Counts changes of mind, so that a handle that arrives too late is recognised. */
  #turn = 0;
  /** The same for {@link close} while the address is being bound. */
  #closes = 0;
  #held: (Socket | HandleWire)[] = [];

  /** @param own true for the socket of the Worker that this process was started for */
  constructor(
    address: BindAddress, backlog: number, own: boolean, owner: ListenerOwner, provider: SocketProvider | null,
  ) {
    this.address = address;
    this.#backlog = backlog;
    this.#own = own;
    this.#owner = owner;
    // The file of a unix socket belongs to whoever binds it: this process's user, and no other process can share it.
    this.#provider = address.kind === 'unix' && !own ? null : provider;
  }

  get bound(): boolean {
    return this.#isBound;
  }

  get accepting(): boolean {
    return this.#accepting;
  }

  /** The Node object that listens, while there is one. */
  get server(): Server | UdpSocket | null {
    return this.#server ?? this.#udp;
  }

  /** Resolves when no bind is under way any more, also one that {@link close} has called off. */
  get settled(): Promise<void> {
    return (this.#bound ?? Promise.resolve()).catch(() => {});
  }

  /** Binds, once; later calls give the same promise. Rejects with what {@link bindSocket} throws. */
  open(): Promise<void> {
    this.#bound ??= this.#bind();
    return this.#bound;
  }

  async #bind(): Promise<void> {
    const provider = this.#provider;
    const closes = this.#closes;
    let port: number;
    if (provider !== null) {
      port = await provider.bind(this.address, this.#own);
      if (closes !== this.#closes) return provider.release(this.address, this.#own);
    } else {
      const local = await this.#bindLocal();
      if (closes !== this.#closes) return this.#closeLocal(local, false);
      port = boundPort(local);
      this.#local = local;
    }
    if (this.address.kind !== 'unix') this.address.port = port;
    this.#isBound = true;
  }

  /** Bound, and clients queue already: only then is it certain that nobody else has the address. */
  async #bindLocal(): Promise<BoundSocket> {
    const socket = await bindSocket(this.address, false);
    try {
      return armSocket(socket, this.address, this.#backlog);
    } catch (error) {
      closeSocket(socket);
      throw error;
    }
  }

  /** Starts to accept. Resolves when that has happened, or when it was called off meanwhile. */
  async resume(): Promise<void> {
    if (this.#accepting || !this.#isBound) return;
    this.#accepting = true;
    const turn = ++this.#turn;
    if (this.#local !== null) return this.#resumeLocal(this.#local);
    if (this.#server !== null || this.#udp !== null) return;
    const { handle } = await (this.#provider as SocketProvider).acquire(this.address, this.#own);
    if (turn !== this.#turn) {
      (handle as { close(): void }).close();
      return;
    }
    await this.#acceptFrom(handle);
  }

  /** Stops accepting; clients wait. */
  pause(): void {
    if (!this.#accepting) return;
    this.#accepting = false;
    this.#turn++;
    if (this.#local === null) this.#closeServer();
  }

  /** Gives the address up. {@link open} binds it again. */
  close(): void {
    this.pause();
    const used = this.#server !== null || this.#udp !== null;
    this.#closeServer();
    if (this.#isBound && this.#provider !== null) this.#provider.release(this.address, this.#own);
    if (this.#local !== null) this.#closeLocal(this.#local, used);
    this.#local = null;
    this.#isBound = false;
    this.#bound = null;
    this.#closes++;
    for (const socket of this.#held.splice(0)) socket.destroy();
  }

  /** @param used a server has taken the socket over, and closed it */
  #closeLocal(local: BoundSocket, used: boolean): void {
    if (!used) closeSocket(local);
    if (this.address.kind === 'unix') removeSocketFile(this.address.path);
  }

  async #resumeLocal(local: BoundSocket): Promise<void> {
    for (const socket of this.#held.splice(0)) {
      if (!(socket instanceof Socket && socket.destroyed)) this.#owner.accepted(socket);
    }
    if (this.#server !== null || this.#udp !== null) return;
    await this.#acceptFrom(local.dgram ?? local.raw);
  }

  #acceptFrom(handle: unknown): Promise<void> {
    if (this.address.kind === 'udp') {
      this.#readFrom(handle as UdpSocket);
      return Promise.resolve();
    }
    const server = serverOn(handle, this.#backlog);
    this.#server = server;
    const accept = (socket: Socket | HandleWire): void => {
      if (needsSpareDescriptor(socket)) socket.destroy();
      else if (this.#accepting) this.#owner.accepted(socket);
      else this.#hold(socket);
    };
    server.on('connection', accept);
    if (!this.#owner.needsSockets) acceptWires(server, accept);
    return new Promise((resolve, reject) => {
      server.on('error', (error: NodeJS.ErrnoException) => {
        const failure = listenError(this.address.display, error.code ?? 'UNKNOWN');
        if (server.listening) this.#owner.failed(failure);
        else reject(failure);
      });
      server.once('listening', resolve);
    });
  }

  #hold(socket: Socket | HandleWire): void {
    // An 'error' that nobody hears would end the process.
    if (socket instanceof Socket) socket.on('error', () => {});
    this.#held.push(socket);
  }

  #readFrom(socket: UdpSocket): void {
    this.#udp = socket;
    sendAtOnce(socket);
    socket.on('message', (data, remote) => {
      if (this.#accepting) this.#owner.datagram(data, remote, socket);
    });
    socket.on('error', (error) => this.#owner.failed(error));
  }

  #closeServer(): void {
    this.#server?.close();
    this.#server = null;
    this.#udp?.close();
    this.#udp = null;
  }
}
