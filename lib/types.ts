import type { Loose, TcpConnection, UdpConnection } from '../connection/types.js';
import type { Request } from '../protocols/http/Request.js';
import type { UserValue } from '../protocols/ProtocolInterface.js';
import type { SocketContext } from '../connection/SocketContext.js';
import type { MasterCallback } from './Settings.js';
import { Worker as BaseWorker } from './Worker.js';

/*
 * Worker as users see it. The same class, with types that spare annotations: the scheme in the literal socket name
 * says what `onMessage` gets, and own data on workers and connections is any, or what the user has named.
 */

/** What `onMessage` gets on a Worker whose socket name begins with a scheme. The first letter's case is free. */
export type MessageOf<Name extends string> = string extends Name
  ? UserValue
  : Uncapitalize<Name> extends `http:${string}`
    ? Request
    : Uncapitalize<Name> extends `websocket:${string}`
      ? string | Buffer
      : Uncapitalize<Name> extends `text:${string}`
        ? string
        : Uncapitalize<Name> extends `${'tcp' | 'udp' | 'unix' | 'ssl' | 'frame'}:${string}`
          ? Buffer
          : UserValue;

/** What the callbacks of a Worker get as their connection. */
export type ConnectionOf<Name extends string, Data> = Name extends `udp:${string}`
  ? UdpConnection<Data, MessageOf<Name>>
  : TcpConnection<Data, MessageOf<Name>>;

/**
 * A Worker that carries the user's `Data`, whose connections carry `ConnectionData`, and whose messages are those of
 * the socket name's scheme.
 */
export type Worker<Data = Loose, ConnectionData = Loose, Name extends string = string> = BaseWorker<
  MessageOf<Name>,
  ConnectionOf<Name, ConnectionData>,
  Worker<Data, ConnectionData, Name>
> &
  Data;

type Statics = Omit<typeof BaseWorker, 'prototype' | 'getAllWorkers' | 'onWorkerExit'>;

/** The class `Worker`. */
export interface WorkerConstructor extends Statics {
  /**
   * Registers the Worker; nothing is parsed, bound or checked before `listen()`. The scheme of a literal name says what
   * `onMessage` gets; own data may be anything.
   *
   * @param socketName `scheme://address`. The scheme is `http`, `websocket`, `text`, `frame`, a registered protocol, or
   * a transport alone: `tcp`, `udp`, `unix`, `ssl`. Empty or null (the default): a Worker without a socket, for timers
   * and clients
   * @param context options of the socket and of TLS; none by default
   */
  new <const Name extends string = string>(
    socketName?: Name | null, context?: SocketContext,
  ): Worker<Loose, Loose, Name>;
  /**
   * With the shapes of the own data named, `new Worker<{ users: number }>('http://…')`: first the Worker's, then its
   * connections'.
   */
  new <Data extends object, ConnectionData extends object = Loose>(
    socketName: `http:${string}`, context?: SocketContext,
  ): Worker<Data, ConnectionData, 'http:'>;
  new <Data extends object, ConnectionData extends object = Loose>(
    socketName: `websocket:${string}`, context?: SocketContext,
  ): Worker<Data, ConnectionData, 'websocket:'>;
  new <Data extends object, ConnectionData extends object = Loose>(
    socketName: `text:${string}`, context?: SocketContext,
  ): Worker<Data, ConnectionData, 'text:'>;
  new <Data extends object, ConnectionData extends object = Loose>(
    socketName: `udp:${string}`, context?: SocketContext,
  ): Worker<Data, ConnectionData, 'udp:'>;
  new <Data extends object, ConnectionData extends object = Loose>(
    socketName: `${'tcp' | 'unix' | 'ssl' | 'frame'}:${string}`, context?: SocketContext,
  ): Worker<Data, ConnectionData, 'tcp:'>;
  new <Data extends object, ConnectionData extends object = Loose>(
    socketName?: string | null, context?: SocketContext,
  ): Worker<Data, ConnectionData>;
  readonly prototype: Worker;
  /** Master: all, in order of construction. Worker process: its own, then inner ones. */
  getAllWorkers(): Worker[];
  /**
   * Master: a worker process has ended, its replacement is not started yet. `status` is the wait status: exit code
   * times 256, or the number of the signal that killed it. An exception is logged and ignored. Default null.
   */
  onWorkerExit: MasterCallback<[worker: Worker, status: number, pid: number]>;
}

/**
 * A service: an address, a protocol, callbacks, a number of processes. Construct it at the top of the script, set its
 * properties, end the script with `Worker.runAll()`. Constructed and `listen()`ed inside a worker process, it serves
 * in that process only.
 *
 * Own data may be hung on a Worker and on its connections under any name. As a type, `Worker<Data, ConnectionData>`
 * says what that is, and then every access is checked.
 *
 * @class
 */
export const Worker: WorkerConstructor = BaseWorker as unknown as WorkerConstructor;
