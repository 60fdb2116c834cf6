import type { ProtocolInterface } from '../protocols/ProtocolInterface.js';
import type { ConnectionInterface } from './ConnectionInterface.js';
import { ReceiveBuffer } from './ReceiveBuffer.js';

/** Received bytes, and what the protocol has said about the first packet in them. */
export class PacketBuffer extends ReceiveBuffer {
  /** Length of the first packet; 0 while the protocol has not found it. */
  expected = 0;
  /** Bytes of the first packet that `input` has seen without finding its length. */
  #seen = 0;
  /** Whose `input` that was: who takes over in the middle of a packet has seen nothing of it. */
  #asked: ProtocolInterface | null = null;

  /** What the protocol says to the bytes that are there: see `ProtocolInterface.input`. Throws what it throws. */
  ask(protocol: ProtocolInterface, connection: ConnectionInterface): unknown {
    const seen = protocol === this.#asked ? this.#seen : 0;
    this.#seen = 0;
    this.#asked = protocol;
    if (seen > 0 && protocol.inputRest !== undefined) {
      const length: unknown = protocol.inputRest(this.after(seen), seen, connection);
      if (length !== undefined) return length;
    }
    return protocol.input?.(this.view(), connection);
  }

  /** The protocol has to be asked again, when more has come. */
  wait(): void {
    this.#seen = this.length;
  }

  /** The first packet, whose length is known; null until all of it is there. */
  takePacket(): Buffer | null {
    if (this.length < this.expected) return null;
    return this.take(this.expected);
  }

  override take(n: number): Buffer {
    this.expected = 0;
    this.#seen = 0;
    return super.take(n);
  }

  override clear(): void {
    this.expected = 0;
    this.#seen = 0;
    super.clear();
  }
}
