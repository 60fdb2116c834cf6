import type { ByteSource } from '../../connection/SendQueue.js';

/**
 * An answer that waits in the send queue until what has to come before it is done. What is sent behind it waits with
 * it, and so does a close.
 */
export class HeldAnswer implements ByteSource {
  #bytes: Buffer | null;
  #isReady = false;
  #wake: (() => void) | null = null;

  /** @param ready When it rejects, nothing is ever given: the connection is for the caller to end. */
  constructor(bytes: string | Uint8Array, ready: Promise<unknown>) {
    this.#bytes = bytes.length === 0 ? null : Buffer.from(bytes as Uint8Array);
    ready.then(
      () => {
        this.#isReady = true;
        this.#wake?.();
      },
      () => {},
    );
  }

  /** All of it, once it is ready. */
  read(wake: () => void): Uint8Array | null | undefined {
    if (!this.#isReady) {
      this.#wake = wake;
      return null;
    }
    const bytes = this.#bytes ?? undefined;
    this.#bytes = null;
    return bytes;
  }

  cancel(): void {
    this.#bytes = null;
    this.#wake = null;
  }
}
