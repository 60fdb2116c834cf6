import type { ByteSource } from '../../connection/SendQueue.js';
import type { WebSocketConnection } from './WebSocketConnection.js';

/**
 * The place of a message in the send queue while it is being compressed: what is sent behind it, the Close frame too,
 * waits until it is done. Counts as queued with the bytes that there are of it.
 */
export class CompressedMessage implements ByteSource {
  readonly #connection: WebSocketConnection;
  #reserved: number;
  #frame: Uint8Array | null = null;
  #failed = false;
  #sent = false;
  #wake: (() => void) | null = null;

  /** @param size bytes before compression */
  constructor(connection: WebSocketConnection, size: number) {
    this.#connection = connection;
    this.#reserved = size;
    connection._pushSource(this);
    connection._reserve(size);
  }

  /** @param frame the whole frame; null: it could not be compressed, which ends the connection */
  done(frame: Uint8Array | null): void {
    if (frame === null) {
      this.#failed = true;
    } else {
      this.#frame = frame;
      this.#connection._reserve(frame.length - this.#reserved);
      this.#reserved = frame.length;
    }
    this.#wake?.();
  }

  read(wake: () => void): Uint8Array | null | undefined {
    if (this.#failed) throw new Error('a message could not be compressed');
    if (this.#sent) return undefined;
    if (this.#frame === null) {
      this.#wake = wake;
      return null;
    }
    this.#sent = true;
    this.#connection._reserve(-this.#reserved);
    return this.#frame;
  }

  cancel(): void {
    this.#wake = null;
    this.#frame = null;
  }
}
