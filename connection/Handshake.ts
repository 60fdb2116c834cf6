import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { hooks } from './hooks.js';
import { judgePeer, type PeerPolicy } from './peerPolicy.js';
import { attachListener, detachListener, type SocketListener } from './socketEvents.js';
import type { ClientTls, ServerTls } from './tls.js';

/** A peer that has not finished by then is let go; Workerman waits for ever. */
const LIMIT_SECONDS = 10;

/** Who hears how a handshake ended. Exactly one of the two is called, unless it was cancelled. */
export interface HandshakeOwner {
  _secured(): void;
  _handshakeFailed(): void;
}

/** The part of Node's TLS handle that has no public name: what OpenSSL holds against the peer's chain. */
interface VerifyingHandle {
  verifyError?: () => { code?: string; message: string } | null | undefined;
}

/**
 * One TLS handshake over a connected socket, from either side. Node's own server announces a connection only when its
 * handshake is done, and Workerman calls `onConnect` before it, so the accepted socket is wrapped here. Whether the
 * peer's certificate will do is decided here too, for both sides by the same rules, before any byte of the peer is
 * handed out.
 *
 * Listens to the socket until it ends; whoever owns the connection takes the socket over in `_secured`.
 */
export class Handshake implements SocketListener {
  /** The encrypted socket, from the start. */
  readonly socket: TLSSocket;
  readonly #policy: PeerPolicy;
  readonly #owner: HandshakeOwner;
  readonly #isServer: boolean;
  readonly #timer: NodeJS.Timeout;
  #over = false;

  /** @param raw an accepted socket of which nothing has been read */
  static accept(raw: Socket, tls: ServerTls, owner: HandshakeOwner): Handshake {
    const { policy, ...options } = tls;
    const { TLSSocket } = process.getBuiltinModule('node:tls');
    // Without both, OpenSSL lets a client without a certificate pass.
    const socket = new TLSSocket(raw, { ...options, isServer: true, rejectUnauthorized: options.requestCert });
    return new Handshake(raw, socket, policy, owner, true);
  }

  /**
   * @param raw a connected socket that was listened to by `attachListener`
   * @param early bytes that were read from it already
   */
  static connect(raw: Socket, early: Buffer, tls: ClientTls, owner: HandshakeOwner): Handshake {
    const { policy, ...options } = tls;
    detachListener(raw);
    raw.pause();
    if (early.length > 0) raw.unshift(early);
    const socket = process.getBuiltinModule('node:tls').connect({
      ...options,
      socket: raw,
      // Not "accept anybody": the policy judges, and unlike Node's check it can tell a self-signed certificate apart.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    return new Handshake(raw, socket, policy, owner, false);
  }

  private constructor(raw: Socket, socket: TLSSocket, policy: PeerPolicy, owner: HandshakeOwner, isServer: boolean) {
    this.socket = socket;
    this.#policy = policy;
    this.#owner = owner;
    this.#isServer = isServer;
    this.#timer = setTimeout(() => this.#fail('timed out'), LIMIT_SECONDS * 1000);
    raw.on('error', ignore);
    attachListener(socket, this);
    socket.once('secure', () => this.#secured());
  }

  /** The connection has been closed meanwhile: nobody is called any more. */
  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #secured(): void {
    if (this.#over) return;
    const refusal = judgePeer(this.#policy, this.#chainError(), this.#certificate());
    if (refusal !== null) return this.#fail(refusal);
    this.cancel();
    // On a client Node says so itself, a moment later.
    if (this.#isServer) this.socket.authorized = this.#policy.chain;
    this.#owner._secured();
  }

  #chainError(): string | null {
    if (!this.#policy.chain) return null;
    const handle = (this.socket as TLSSocket & { ssl?: VerifyingHandle | null }).ssl;
    // Should a later Node take this away, nobody is trusted any more.
    if (typeof handle?.verifyError !== 'function') return 'UNSPECIFIED';
    const error = handle.verifyError();
    return error === null || error === undefined ? null : (error.code ?? error.message);
  }

  #certificate(): PeerCertificate | null {
    // Typed as always there; without one it is an empty object, and null when the socket has gone.
    return this.socket.getPeerCertificate() as PeerCertificate | null;
  }

  #fail(reason: string | null): void {
    if (this.#over) return;
    this.cancel();
    if (reason !== null) hooks.print(`SSL handshake error: ${reason.replace(/\p{Cc}+/gu, ' ')}`);
    this.#owner._handshakeFailed();
  }

  /** @internal No byte of a peer that has not been judged is of interest. */
  _onData(): void {}

  /** @internal A peer that leaves is not worth a line: port scans and health checks do just that. */
  _onEnd(): void {
    this.#fail(this.#isServer ? null : 'the peer has closed the connection');
  }

  /** @internal */
  _onSocketError(error: NodeJS.ErrnoException & { reason?: string }): void {
    const hungUp = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    this.#fail(this.#isServer && hungUp ? null : (error.reason ?? error.message));
  }

  /** @internal */
  _onSocketClose(): void {
    this._onEnd();
  }
}

const ignore = (): void => {};
