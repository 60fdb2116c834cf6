import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { NOTHING, type ProxyDialogue, type ProxyStep } from './proxy/ProxyDialogue.js';
import { attachListener, detachListener, type SocketListener } from './socketEvents.js';

/** What one attempt to connect does. */
export interface DialPlan {
  socket: NetConnectOpts;
  /** What has to be said to a proxy first; null: nothing. */
  dialogue: ProxyDialogue | null;
}

/** Who hears how an attempt ended. Exactly one of the two is called, and never before the constructor has returned. */
export interface DialOwner {
  /**
   * @param socket connected; its events still go to the Dialer, so take it over in this turn
   * @param early bytes of the target that came together with the proxy's answer
   */
  _dialled(socket: Socket, early: Buffer): void;
  /** @param reason text of the system or of the proxy; null: refused, unreachable or timed out */
  _dialFailed(reason: string | null): void;
}

/** One attempt to connect, through a proxy when there is one. */
export class Dialer implements SocketListener {
  readonly #owner: DialOwner;
  #socket: Socket | null = null;
  #dialogue: ProxyDialogue | null = null;
  #isUnix = false;
  /** Connected to the proxy. */
  #talking = false;
  #over = false;

  /** @param prepare what it throws is a failure of the attempt */
  constructor(owner: DialOwner, prepare: () => DialPlan) {
    this.#owner = owner;
    try {
      const plan = prepare();
      this.#dialogue = plan.dialogue;
      this.#isUnix = 'path' in plan.socket;
      this.#dial(plan.socket);
    } catch (error) {
      process.nextTick(() => this.#fail(error instanceof Error ? error.message : String(error)));
    }
  }

  /** Gives up; nobody is called any more. */
  abort(): void {
    this.#over = true;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    detachListener(socket);
    socket.destroy();
  }

  #dial(options: NetConnectOpts): void {
    const socket = connect(options);
    this.#socket = socket;
    attachListener(socket, this);
    socket.once('connect', () => this.#connected());
  }

  #connected(): void {
    if (this.#over) return;
    if (this.#dialogue === null) return this.#succeed(NOTHING);
    this.#talking = true;
    this.#take(this.#dialogue.begin());
  }

  #take(step: ProxyStep): void {
    if (step.state === 'failed') return this.#fail(step.reason);
    if (step.send.length > 0) this.#socket?.write(step.send);
    if (step.state === 'connected') this.#succeed(step.rest);
  }

  #succeed(early: Buffer): void {
    const socket = this.#socket as Socket;
    this.#over = true;
    this.#socket = null;
    this.#owner._dialled(socket, early);
  }

  #fail(reason: string | null): void {
    if (this.#over) return;
    this.abort();
    this.#owner._dialFailed(reason);
  }

  /** @internal */
  _onData(bytes: Buffer): void {
    if (!this.#over && this.#dialogue !== null) this.#take(this.#dialogue.receive(bytes));
  }

  /** @internal */
  _onEnd(): void {
    this.#fail(this.#dialogue?.interrupted() ?? null);
  }

  /** @internal */
  _onSocketError(error: NodeJS.ErrnoException): void {
    if (this.#talking) this._onEnd();
    else this.#fail(this.#isUnix || error.syscall === 'getaddrinfo' ? error.message : null);
  }

  /** @internal */
  _onSocketClose(): void {
    this._onEnd();
  }
}
