import type { Bytes } from '../../protocols/ProtocolInterface.js';
import type { SocketWire } from './SocketWire.js';

/** Who hears what comes in over a wire, and how it ends. */
export interface WireListener {
  /** Bytes that are the listener's to keep. */
  _onData(chunk: Buffer): void;
  /** The first `length` bytes of `memory`, which is written anew after the call. */
  _onShared(memory: Buffer, length: number): void;
  /** The peer's FIN. */
  _onEnd(): void;
  _onSocketError(error: NodeJS.ErrnoException): void;
  /** The socket has gone, for whatever reason. Not called after an end that the listener itself has brought about. */
  _onSocketClose(): void;
}

/** Who waits for a write to be taken. */
export interface WireWriter {
  _onTaken(): void;
}

/**
 * What a stream connection needs of the operating system, and nothing more. There are two of them: one over Node's public
 * sockets, which can do everything, and a shorter one straight over Node's handle, for plain connections that a server
 * has accepted.
 */
export interface Wire {
  /** A write has not been taken whole; `_onTaken` will say when it has. Nothing may be written before that. */
  readonly busy: boolean;
  /** Bytes handed over so far. */
  readonly dispatched: number;
  /** Bytes handed over that the operating system has not taken. */
  readonly pending: number;
  /** Changes with every byte that the operating system takes; only good for comparing. */
  readonly progress: number;
  /** A write has failed: the peer is gone. */
  readonly failed: boolean;
  /** The peer's FIN has been seen. */
  readonly ended: boolean;
  /** The number of bytes in a text costs time; it is asked for only where an exact count is worth that. */
  readonly countsBytes: boolean;

  /** From here on the wire reports to these two; it begins to read. */
  open(listener: WireListener, writer: WireWriter): void;
  /** Hands bytes to the operating system. */
  write(bytes: Bytes): void;
  /** Hands several pieces over in one system call. */
  writeAll(batch: readonly Bytes[]): void;
  /** Stops reading. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** FIN, behind everything that was written. */
  end(): void;
  /** Ends it at once. Nobody is called any more. */
  destroy(): void;
  /**
   * FIN, then input is thrown away until the peer's FIN or for `seconds`, and only then the descriptor is closed. Nobody
   * is called any more but `done`, once.
   */
  linger(seconds: number, done: () => void): void;
  /** `ip:port` of the peer; `''` when it is not known. */
  remoteAddress(): string;
  /** `ip:port` of this end; `''` when it is not known. */
  localAddress(): string;
  /** This wire over one of Node's sockets: itself, or what takes its place from here on. */
  asSocketWire(): SocketWire;
}
