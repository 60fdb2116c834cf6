import type { ProtocolInterface } from '../protocols/ProtocolInterface.js';
import { type ConnectionInterface, isThenable } from './ConnectionInterface.js';
import { hooks } from './hooks.js';
import { ReceiveBuffer } from './ReceiveBuffer.js';

/** A protocol may return or throw anything, also what has no text. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** The message in a packet. @throws what `decode` throws, and TypeError when it promises something */
export function decodePacket(protocol: ProtocolInterface, packet: Buffer, connection: ConnectionInterface): unknown {
  const message: unknown = protocol.decode(packet, connection);
  if (!isThenable(message)) return message;
  message.then(undefined, () => {});
  throw new TypeError(`${protocol.name ?? 'protocol'}.decode() returned a promise; decode is synchronous`);
}

/** Received bytes, and what the protocol has said about the first packet in them. */
export class PacketBuffer extends ReceiveBuffer {
  /** Length of the first packet; 0 while the protocol has not found it. */
  expected = 0;
  /** Bytes of the first packet that `input` has seen without finding its length. */
  #seen = 0;
  /** Whose `input` that was: who takes over in the middle of a packet has seen nothing of it. */
  #asked: ProtocolInterface | null = null;

  /** What the protocol says to the bytes that are there: see `ProtocolInterface.input`. An exception is printed, and -1. */
  ask(protocol: ProtocolInterface, connection: ConnectionInterface): unknown {
    try {
      const length = this.#ask(protocol, connection);
      if (isThenable(length)) length.then(undefined, () => {});
      return length;
    } catch (error) {
      hooks.print(error instanceof Error ? (error.stack ?? error.message) : textOf(error));
      return -1;
    }
  }

  #ask(protocol: ProtocolInterface, connection: ConnectionInterface): unknown {
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
