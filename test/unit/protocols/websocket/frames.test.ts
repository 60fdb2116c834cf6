import { expect } from 'chai';
import fc from 'fast-check';
import { FrameReader, STEP } from '../../../../protocols/websocket/frames.js';
import { cutAt, deliveries, inPieces } from '../../../support/feed.js';
import { fragments, frame, OPCODES, type FrameSpec } from '../../../support/websocket.js';

/** What a reader said, in order. */
type Event =
  | { message: string | Buffer }
  | { compressed: Buffer; isText: boolean }
  | { control: number; payload: Buffer }
  | { failed: number };

/** How much of the input had come when the reader failed. */
interface Outcome {
  events: Event[];
  /** Bytes that the reader has left in the caller's buffer. */
  left: number;
  /** The most that it ever left there. */
  mostLeft: number;
  /** Bytes fed until the reader failed; -1: it did not. */
  failedAt: number;
}

interface Setting {
  server?: boolean;
  limit?: number;
  compression?: boolean;
}

/** Feeds the pieces as a connection does: what was not taken stays in front of the next piece. */
function play(
  pieces: readonly Buffer[],
  { server = true, limit = 10_000_000, compression = false }: Setting = {},
): Outcome {
  const reader = new FrameReader(server);
  reader.compression = compression;
  const events: Event[] = [];
  let left: Buffer = Buffer.alloc(0);
  let mostLeft = 0;
  let fed = 0;
  for (const piece of pieces) {
    const buffer = left.length === 0 ? piece : Buffer.concat([left, piece]);
    const before = Buffer.from(buffer);
    fed += piece.length;
    let from = 0;
    for (;;) {
      const step = reader.read(buffer, from, limit);
      if (step === STEP.FAILED) {
        events.push({ failed: reader.failure });
        return { events, left: 0, mostLeft, failedAt: fed };
      }
      from = reader.at;
      if (step === STEP.MORE) break;
      if (step === STEP.CONTROL) events.push({ control: reader.opcode, payload: reader.payload });
      else if (reader.compressed) events.push({ compressed: reader.payload, isText: reader.isText });
      else {
        expect(reader.start).to.be.below(reader.at);
        const message = reader.takeMessage();
        expect(typeof message === 'string').to.equal(reader.isText);
        events.push({ message });
      }
    }
    expect(buffer.equals(before), 'the input is not changed').to.equal(true);
    left = buffer.subarray(from);
    mostLeft = Math.max(mostLeft, left.length);
  }
  return { events, left: left.length, mostLeft, failedAt: -1 };
}

const plain = (event: Event): unknown =>
  Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
const shown = (events: readonly Event[]): unknown[] => events.map(plain);

/** Fails unless the bytes mean the events, however they are delivered. */
function means(bytes: Buffer, events: readonly Event[], setting: Setting = {}): void {
  for (const { name, pieces } of deliveries(bytes)) {
    expect(shown(play(pieces, setting).events), name).to.deep.equal(shown(events));
  }
}

const LENGTHS = [
  0, 1, 2, 3, 4, 7, 63, 64, 65, 124, 125, 126, 127, 128, 255, 256, 1000, 65_534, 65_535, 65_536, 65_537, 70_000,
];

describe('FrameReader', () => {
  for (const server of [true, false]) {
    const spec: Partial<FrameSpec> = { mask: server };
    const setting: Setting = { server };
    const make = (full: FrameSpec): Buffer => frame({ ...spec, ...full });

    describe(server ? 'of a server' : 'of a client', () => {
      it('reads text and bytes of every length around the steps of the header', () => {
        for (const length of LENGTHS) {
          const ascii = 'abcdefghij'.repeat(length / 10 + 1).slice(0, length);
          const bytes = Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31) & 255));
          const both = Buffer.concat([
            make({ opcode: OPCODES.text, payload: ascii }),
            make({ opcode: OPCODES.binary, payload: bytes }),
          ]);
          const wanted = shown([{ message: ascii }, { message: bytes }]);
          for (const pieces of [
            [both],
            cutAt(both, [1, 2, 5, both.length >> 1, both.length - 1]),
            inPieces(both, 1000),
          ]) {
            expect(shown(play(pieces, setting).events), `${length} bytes`).to.deep.equal(wanted);
          }
          if (length <= 1000) means(both, [{ message: ascii }, { message: bytes }], setting);
        }
      });

      it('reads text that is not ASCII, in one frame and cut inside of characters', () => {
        const text = 'Ünïcödé — κόσμε 🎉 \ufeff 你好'.repeat(20);
        means(make({ opcode: OPCODES.text, payload: text }), [{ message: text }], setting);
        const utf8 = Buffer.from(text);
        means(fragments(OPCODES.text, inPieces(utf8, 7), spec), [{ message: text }], setting);
        means(fragments(OPCODES.text, inPieces(utf8, 1), spec), [{ message: text }], setting);
      });

      it('keeps a byte order mark', () => {
        means(make({ opcode: OPCODES.text, payload: '\ufeffx' }), [{ message: '\ufeffx' }], setting);
      });

      it('puts fragments together, empty ones too, with control frames between them', () => {
        const bytes = Buffer.concat([
          make({ opcode: OPCODES.text, fin: false }),
          make({ opcode: OPCODES.ping, payload: 'one' }),
          make({ opcode: OPCODES.continuation, payload: 'Hel', fin: false }),
          make({ opcode: OPCODES.pong }),
          make({ opcode: OPCODES.continuation, fin: false }),
          make({ opcode: OPCODES.continuation, payload: 'lo' }),
          make({ opcode: OPCODES.binary, payload: Buffer.of(0, 255), fin: false }),
          make({ opcode: OPCODES.ping, payload: Buffer.alloc(125, 7) }),
          make({ opcode: OPCODES.continuation, payload: Buffer.of(1) }),
          make({ opcode: OPCODES.text, fin: false }),
          make({ opcode: OPCODES.continuation }),
          make({ opcode: OPCODES.close, payload: Buffer.of(3, 232) }),
        ]);
        means(
          bytes,
          [
            { control: 9, payload: Buffer.from('one') },
            { control: 10, payload: Buffer.alloc(0) },
            { message: 'Hello' },
            { control: 9, payload: Buffer.alloc(125, 7) },
            { message: Buffer.of(0, 255, 1) },
            { message: '' },
            { control: 8, payload: Buffer.of(3, 232) },
          ],
          setting,
        );
      });

      it('takes a length in a longer form than it needs', () => {
        means(make({ opcode: OPCODES.text, payload: 'abc', lengthBytes: 2 }), [{ message: 'abc' }], setting);
        means(make({ opcode: OPCODES.text, payload: 'abc', lengthBytes: 8 }), [{ message: 'abc' }], setting);
      });

      it('fails with 1002 at the second byte of a frame that breaks a rule', () => {
        const wrong: [title: string, bytes: Buffer][] = [
          ["the other role's mask bit", frame({ opcode: OPCODES.text, payload: 'x', mask: !server })],
          ['RSV1', make({ opcode: OPCODES.text, payload: 'x', rsv: 4 })],
          ['RSV2', make({ opcode: OPCODES.text, payload: 'x', rsv: 2 })],
          ['RSV3', make({ opcode: OPCODES.text, payload: 'x', rsv: 1 })],
          ['a continuation of nothing', make({ opcode: OPCODES.continuation, payload: 'x' })],
          ['a continuation of nothing, not the last', make({ opcode: OPCODES.continuation, payload: 'x', fin: false })],
          ['a ping in two', make({ opcode: OPCODES.ping, fin: false })],
          ['a ping with RSV1', make({ opcode: OPCODES.ping, rsv: 4 })],
          ['a ping that is too long', make({ opcode: OPCODES.ping, payload: Buffer.alloc(126) })],
          ['a close frame that is too long', make({ opcode: OPCODES.close, payload: Buffer.alloc(126) })],
          ['a control frame with a length in 8 bytes', make({ opcode: OPCODES.pong, payload: 'x', lengthBytes: 8 })],
          ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Buffer] => [
            `opcode ${opcode}`,
            make({ opcode }),
          ]),
        ];
        const good = make({ opcode: OPCODES.text, payload: 'ok' });
        for (const [title, bytes] of wrong) {
          means(bytes, [{ failed: 1002 }], setting);
          means(Buffer.concat([good, bytes, good]), [{ message: 'ok' }, { failed: 1002 }], setting);
          expect(play(inPieces(bytes, 1), setting).failedAt, title).to.equal(2);
        }
      });

      it('fails with 1002 at a new message inside of a fragmented one', () => {
        for (const opcode of [OPCODES.text, OPCODES.binary]) {
          const begun = make({ opcode: OPCODES.text, payload: 'a', fin: false });
          means(Buffer.concat([begun, make({ opcode, payload: 'b' })]), [{ failed: 1002 }], setting);
          expect(play(inPieces(Buffer.concat([begun, make({ opcode })]), 1), setting).failedAt).to.equal(
            begun.length + 2,
          );
        }
      });

      it('fails with 1002 at the top bit of a length, and with 1009 at one beyond all limits', () => {
        const top = make({ opcode: OPCODES.binary, lengthBytes: 8, length: 1n << 63n });
        means(top, [{ failed: 1002 }], setting);
        const huge = make({ opcode: OPCODES.binary, lengthBytes: 8, length: (1n << 53n) + 2n });
        means(huge, [{ failed: 1009 }], { ...setting, limit: Infinity });
        means(make({ opcode: OPCODES.binary, lengthBytes: 8, length: 1n << 40n }), [{ failed: 1009 }], setting);
      });

      it('counts what was collected and the next frame with its header against the limit, from its header on', () => {
        const header = server ? 6 : 2;
        const limited = { ...setting, limit: 100 };
        const fits = make({ opcode: OPCODES.text, payload: 'x'.repeat(100 - header) });
        means(fits, [{ message: 'x'.repeat(100 - header) }], limited);
        const over = make({ opcode: OPCODES.text, payload: 'x'.repeat(101 - header) });
        means(over, [{ failed: 1009 }], limited);
        expect(play(inPieces(over, 1), limited).failedAt).to.equal(2);
        const two = make({ opcode: OPCODES.text, payload: Buffer.alloc(300), lengthBytes: 8 });
        expect(play(inPieces(two, 1), limited).failedAt).to.equal(10);
        const begun = make({ opcode: OPCODES.binary, payload: Buffer.alloc(50), fin: false });
        const rest = 100 - 50 - header;
        means(
          Buffer.concat([begun, make({ opcode: 0, payload: Buffer.alloc(rest) })]),
          [{ message: Buffer.alloc(50 + rest) }],
          limited,
        );
        means(
          Buffer.concat([begun, make({ opcode: 0, payload: Buffer.alloc(rest + 1) })]),
          [{ failed: 1009 }],
          limited,
        );
        means(
          Buffer.concat([begun, make({ opcode: 9, payload: Buffer.alloc(90) })]),
          [{ control: 9, payload: Buffer.alloc(90) }],
          limited,
        );
      });

      it('fails with 1007 at the first byte that is no UTF-8, also inside a frame that is not complete', () => {
        const texts: [bytes: number[], bad: number][] = [
          [[0x61, 0xc0, 0x80], 1],
          [[0x61, 0xed, 0xa0, 0x80], 2],
          [[0xf4, 0x90, 0x80, 0x80], 1],
          [[0xf5], 0],
          [[0xe2, 0x28], 1],
        ];
        for (const [bytes, bad] of texts) {
          const payload = Buffer.concat([Buffer.from(bytes), Buffer.alloc(5, 'x')]);
          const whole = make({ opcode: OPCODES.text, payload });
          means(whole, [{ failed: 1007 }], setting);
          const header = whole.length - payload.length;
          expect(play(inPieces(whole, 1), setting).failedAt).to.equal(header + bad + 1);
          const cut = fragments(OPCODES.text, inPieces(payload, 1), spec);
          means(cut, [{ failed: 1007 }], setting);
          expect(play(inPieces(cut, 1), setting).failedAt).to.equal((bad + 1) * (header + 1));
          means(make({ opcode: OPCODES.binary, payload }), [{ message: payload }], setting);
        }
      });

      it('fails with 1007 at the end of a text that ends inside a character', () => {
        for (const payload of [Buffer.of(0xe2, 0x82), Buffer.concat([Buffer.alloc(300, 'y'), Buffer.of(0xf0, 0x9f)])]) {
          means(make({ opcode: OPCODES.text, payload }), [{ failed: 1007 }], setting);
          means(fragments(OPCODES.text, [payload, ''], spec), [{ failed: 1007 }], setting);
        }
      });

      it('hands compressed messages out as they are, and fails at RSV1 where it may not be', () => {
        const compressing = { ...setting, compression: true };
        const bad = Buffer.of(0xff, 0xfe);
        means(make({ opcode: OPCODES.text, payload: bad, rsv: 4 }), [{ compressed: bad, isText: true }], compressing);
        means(
          Buffer.concat([
            fragments(OPCODES.binary, [bad, '', bad], { ...spec, rsv: 4 }),
            make({ opcode: 1, payload: 'plain' }),
          ]),
          [{ compressed: Buffer.concat([bad, bad]), isText: false }, { message: 'plain' }],
          compressing,
        );
        const begun = make({ opcode: OPCODES.text, fin: false, rsv: 4 });
        means(Buffer.concat([begun, make({ opcode: 0, rsv: 4 })]), [{ failed: 1002 }], compressing);
        means(make({ opcode: OPCODES.ping, rsv: 4 }), [{ failed: 1002 }], compressing);
        means(make({ opcode: OPCODES.text, rsv: 2 }), [{ failed: 1002 }], compressing);
      });

      it("leaves no more than a header or a control frame in the caller's buffer", () => {
        const big = Buffer.concat([
          make({ opcode: OPCODES.binary, payload: Buffer.alloc(100_000) }),
          fragments(OPCODES.text, ['x'.repeat(5000), 'y'.repeat(5000)], spec),
        ]);
        expect(play(inPieces(big, 1000), setting).mostLeft).to.be.below(14);
        const ping = make({ opcode: OPCODES.ping, payload: Buffer.alloc(125) });
        expect(play(inPieces(ping, 1), setting).mostLeft).to.equal(ping.length - 1);
      });

      it("gives bytes that are the receiver's own and pin no more memory than they need", () => {
        const input = Buffer.concat([
          make({ opcode: OPCODES.binary, payload: Buffer.from('first') }),
          make({ opcode: OPCODES.ping, payload: 'ping' }),
          Buffer.alloc(60_000),
        ]);
        const { events } = play([input.subarray(0, -60_000)], setting);
        input.fill(0);
        expect(shown(events)).to.deep.equal(
          shown([{ message: Buffer.from('first') }, { control: 9, payload: Buffer.from('ping') }]),
        );
        const [first] = events as { message: Buffer }[];
        expect(first!.message.buffer).not.to.equal(input.buffer);
        // Small ones share Node's pool: 8 KiB, from Node 24 on 64 KiB.
        expect(first!.message.buffer.byteLength).to.be.at.most(Math.max(20_000, Buffer.poolSize));
      });

      const message = fc.record({
        text: fc.boolean(),
        content: fc.oneof(
          fc.string({ unit: 'binary', maxLength: 200 }),
          fc.string({ unit: 'binary', minLength: 200, maxLength: 600 }),
        ),
        cuts: fc.array(fc.nat(600), { maxLength: 5 }),
        pings: fc.array(fc.uint8Array({ maxLength: 125 }), { maxLength: 3 }),
        key: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      });

      it('reads back whatever was sent, at any cut', () => {
        fc.assert(
          fc.property(
            fc.array(message, { maxLength: 6 }),
            fc.array(fc.nat(4000), { maxLength: 12 }),
            (messages, cuts) => {
              const events: Event[] = [];
              const bytes: Buffer[] = [];
              for (const { text, content, cuts: inner, pings, key } of messages) {
                const payload = Buffer.from(content);
                const parts = cutAt(payload, inner);
                const mask = server && key;
                parts.forEach((part, i) => {
                  bytes.push(
                    frame({
                      opcode: i > 0 ? 0 : text ? 1 : 2,
                      payload: part,
                      fin: i === parts.length - 1,
                      mask,
                    }),
                  );
                  const ping = i < parts.length - 1 ? pings[i] : undefined;
                  if (ping === undefined) return;
                  bytes.push(frame({ opcode: 9, payload: ping, mask }));
                  events.push({ control: 9, payload: Buffer.from(ping) });
                });
                events.push({ message: text ? content : payload });
              }
              const all = Buffer.concat(bytes);
              const wanted = shown(events);
              expect(shown(play([all], setting).events)).to.deep.equal(wanted);
              expect(shown(play(cutAt(all, cuts), setting).events)).to.deep.equal(wanted);
              expect(shown(play(inPieces(all, 1), setting).events)).to.deep.equal(wanted);
            },
          ),
          { numRuns: 60 },
        );
      });

      it('gives the same answer to any bytes, however they are cut', () => {
        const loose = fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 40 }),
            fc
              .record({
                opcode: fc.constantFrom(0, 1, 2, 8, 9, 10, 3),
                payload: fc.uint8Array({ maxLength: 20 }),
                fin: fc.boolean(),
              })
              .map((one) => make(one)),
          ),
          { maxLength: 5 },
        );
        fc.assert(
          fc.property(loose, fc.boolean(), (chunks, compression) => {
            const bytes = Buffer.concat(chunks);
            const whole = play([bytes], { ...setting, compression, limit: 64 });
            for (const { pieces, name } of deliveries(bytes)) {
              const other = play(pieces, { ...setting, compression, limit: 64 });
              expect(shown(other.events), name).to.deep.equal(shown(whole.events));
            }
          }),
          { numRuns: 300 },
        );
      });
    });
  }

  it('reads a message of very many fragments of one byte', () => {
    const one = frame({ opcode: 0, payload: 'x', fin: false });
    const piece = Buffer.concat(Array<Buffer>(10_000).fill(one));
    const pieces = [
      frame({ opcode: 1, payload: '', fin: false }),
      ...Array<Buffer>(30).fill(piece),
      frame({ opcode: 0, payload: '' }),
    ];
    const { events, mostLeft } = play(pieces);
    expect((events[0] as { message: string }).message).to.have.length(300_000);
    expect(mostLeft).to.be.below(14);
  });
});
