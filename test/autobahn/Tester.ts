import type { Socket } from 'node:net';
import { expect } from 'chai';
import { inPieces } from '../support/feed.js';
import { closeBody, frame, OPCODES, type FrameSpec, type ReadFrame } from '../support/websocket.js';
import type { Codec } from './Codec.js';
import { FrameCollector } from './FrameCollector.js';

/** How the tester's bytes are cut: all at once, or one by one (long frames in larger pieces, so that it ends). */
export type Delivery = 'whole' | 'bytes';

const BYTEWISE_LIMIT = 600;
const LARGE_PIECE = 997;

/** What the subject has to send: a first byte and a payload. */
export interface Wanted {
  opcode: number;
  payload: string | Uint8Array;
}

export const text = (payload: string | Uint8Array): FrameSpec & Wanted => ({ opcode: OPCODES.text, payload });
export const binary = (payload: string | Uint8Array): FrameSpec & Wanted => ({ opcode: OPCODES.binary, payload });
export const ping = (payload: string | Uint8Array = ''): FrameSpec & Wanted => ({ opcode: OPCODES.ping, payload });
export const pong = (payload: string | Uint8Array = ''): FrameSpec & Wanted => ({ opcode: OPCODES.pong, payload });
export const close = (payload: string | Uint8Array = closeBody(1000)): FrameSpec & Wanted => ({
  opcode: OPCODES.close,
  payload,
});
export const more = (payload: string | Uint8Array = '', fin = false): FrameSpec => ({
  opcode: OPCODES.continuation,
  payload,
  fin,
});

/** One conversation with the subject, on a connection whose handshake is done. Every expectation is strict. */
export class Tester {
  /** Set when compression was agreed on. */
  codec: Codec | null = null;
  readonly #socket: Socket;
  readonly #subjectIsServer: boolean;
  readonly #delivery: Delivery;
  readonly #received = new FrameCollector();
  #taken = 0;
  #ended = false;
  #error: Error | null = null;
  #wake: () => void = () => {};

  /** @param early bytes of the subject that came with the handshake */
  constructor(socket: Socket, early: Buffer, subjectIsServer: boolean, delivery: Delivery) {
    this.#socket = socket;
    this.#subjectIsServer = subjectIsServer;
    this.#delivery = delivery;
    if (early.length > 0) this.#received.push(early);
    socket.setNoDelay();
    const wake = (): void => this.#wake();
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      wake();
    });
    socket.on('end', () => {
      this.#ended = true;
      wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
      wake();
    });
    socket.on('close', () => {
      this.#ended = true;
      wake();
    });
  }

  /** Sends frames. */
  async send(...frames: FrameSpec[]): Promise<void> {
    await this.sendBytes(Buffer.concat(frames.map((one) => this.frame(one))));
  }

  /** The bytes of a frame in the tester's role. */
  frame(spec: FrameSpec): Buffer {
    return frame({ mask: this.#subjectIsServer, ...spec });
  }

  /** Sends bytes, cut as this conversation cuts them, or in pieces of a size of its own. */
  async sendBytes(bytes: Buffer, size?: number): Promise<void> {
    const pieceSize =
      size ?? (this.#delivery === 'whole' ? bytes.length : bytes.length > BYTEWISE_LIMIT ? LARGE_PIECE : 1);
    for (const piece of inPieces(bytes, Math.max(1, pieceSize))) {
      if (!this.#socket.write(piece))
        await new Promise((resolve) => {
          this.#socket.once('drain', resolve).once('close', resolve);
        });
    }
  }

  /** The next frame. */
  async next(): Promise<ReadFrame> {
    while (this.#received.frames.length <= this.#taken) {
      if (this.#ended || this.#error)
        throw new Error(
          `the connection ended${this.#error ? ` with ${this.#error.message}` : ''}, a frame was expected`,
        );
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#received.frames[this.#taken++]!;
  }

  /** These frames come next, one frame per message, and nothing of them is fragmented. */
  async gets(...wanted: Wanted[]): Promise<void> {
    for (const [i, one] of wanted.entries()) {
      const got = await this.next();
      const want = Buffer.from(one.payload as Uint8Array);
      const shown = `frame ${i + 1}: opcode ${got.opcode}, ${got.payload.length} bytes ${got.payload.toString('hex', 0, 20)}`;
      expect(got.opcode, shown).to.equal(one.opcode);
      expect(got.fin && got.rsv === 0 && got.masked !== this.#subjectIsServer, shown).to.equal(true);
      expect(got.payload.equals(want), `${shown}, expected ${want.toString('hex', 0, 20)}`).to.equal(true);
    }
  }

  /** A compressed message comes next. */
  async getsPacked(wanted: Wanted): Promise<void> {
    const got = await this.next();
    expect({ opcode: got.opcode, rsv: got.rsv, fin: got.fin }).to.deep.equal({
      opcode: wanted.opcode,
      rsv: 4,
      fin: true,
    });
    const message = await this.codec!.unpack(got.payload);
    expect(message.equals(Buffer.from(wanted.payload as Uint8Array)), 'the message that comes back').to.equal(true);
  }

  /** The subject fails the connection: a Close frame with this code and no reason, then its FIN, and nothing else. */
  async fails(code: number): Promise<void> {
    await this.gets(close(closeBody(code)));
    await this.ends();
  }

  /** The tester closes in the usual way, and the subject answers and ends the connection. */
  async closes(): Promise<void> {
    await this.send(close());
    await this.gets(close());
    await this.ends();
  }

  /** Nothing more comes but the FIN: no frame, no part of one, no reset. */
  async ends(): Promise<void> {
    while (!this.#ended && this.#error === null) await new Promise<void>((resolve) => (this.#wake = resolve));
    expect(this.#error?.message ?? null, 'the connection ended in order').to.equal(null);
    expect(this.#received.frames.length - this.#taken, 'frames too many').to.equal(0);
    expect(this.#received.left, 'bytes too many').to.equal(0);
  }

  destroy(): void {
    this.codec?.close();
    this.#socket.destroy();
  }
}
