import { randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync, constants } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import type { DeflateAgreement } from '../../../../protocols/websocket/extensions.js';
import { Deflater, EMPTY_MESSAGE, Inflater } from '../../../../protocols/websocket/permessageDeflate.js';

const TAIL = Buffer.of(0, 0, 0xff, 0xff);
const AGREEMENT: DeflateAgreement = { windowBits: 15, resetDeflate: false, resetInflate: false };

const open: { close(): void }[] = [];
const deflater = (agreement: Partial<DeflateAgreement> = {}): ((text: string | Uint8Array) => Promise<Buffer>) => {
  const it = new Deflater({ ...AGREEMENT, ...agreement });
  open.push(it);
  return (text) =>
    new Promise((resolve, reject) =>
      it.compress(Buffer.from(text as Uint8Array), (payload) => {
        if (payload === null) reject(new Error('failed'));
        else resolve(payload);
      }),
    );
};

/** Gives the message, or why there is none. */
const inflater = (
  agreement: Partial<DeflateAgreement> = {},
): ((payload: Buffer, limit?: number) => Promise<Buffer | string>) => {
  const it = new Inflater({ ...AGREEMENT, ...agreement });
  open.push(it);
  return (payload, limit = 1e9) =>
    new Promise((resolve) => it.inflate(payload, limit, (message, failure) => resolve(message ?? failure!)));
};

const text = async (message: Promise<Buffer | string>): Promise<string> => String(await message);
const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(' ', ''), 'hex');

describe('permessage-deflate', () => {
  afterEach(() => {
    for (const it of open.splice(0)) it.close();
  });

  it('writes the examples of RFC 7692 section 7.2.3', async () => {
    const compress = deflater();
    expect((await compress('Hello')).toString('hex')).to.equal('f248cdc9c90700');
    expect((await compress('Hello')).toString('hex')).to.equal('f200110000');
  });

  it('reads the examples of RFC 7692 section 7.2.3', async () => {
    const inflate = inflater();
    expect(await text(inflate(hex('f2 48 cd c9 c9 07 00')))).to.equal('Hello');
    expect(await text(inflate(hex('f2 00 11 00 00')))).to.equal('Hello');
    expect(await text(inflater()(hex('00 05 00 fa ff 48 65 6c 6c 6f 00')))).to.equal('Hello');
    expect(await text(inflater()(hex('f3 48 cd c9 c9 07 00 00')))).to.equal('Hello');
    expect(await text(inflater()(hex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00')))).to.equal('Hello');
  });

  it('reads an empty message as often as it comes', async () => {
    const inflate = inflater();
    for (let i = 0; i < 3; i++) expect(await text(inflate(EMPTY_MESSAGE))).to.equal('');
    expect(await text(inflate(hex('f2 48 cd c9 c9 07 00')))).to.equal('Hello');
    expect(await text(inflate(EMPTY_MESSAGE))).to.equal('');
  });

  it('begins a new context behind a final block', async () => {
    const inflate = inflater();
    expect(await text(inflate(hex('f3 48 cd c9 c9 07 00 00')))).to.equal('Hello');
    expect(await text(inflate(hex('f2 48 cd c9 c9 07 00')))).to.equal('Hello');
    expect(await text(inflate(deflateRawSync('without the padding')))).to.equal('without the padding');
    expect(await text(inflate(hex('f2 48 cd c9 c9 07 00')))).to.equal('Hello');
    expect(await text(inflate(hex('01')))).to.equal('');
    expect(await text(inflate(hex('f2 48 cd c9 c9 07 00')))).to.equal('Hello');
  });

  it('reads several final blocks in one message', async () => {
    const inflate = inflater();
    const blocks = ['one ', 'two ', 'three'].map((part) => deflateRawSync(part));
    expect(await text(inflate(Buffer.concat([...blocks, Buffer.of(0)])))).to.equal('one two three');
    const open = deflateRawSync('open', { finishFlush: constants.Z_SYNC_FLUSH });
    expect(await text(inflate(Buffer.concat([blocks[0]!, open.subarray(0, -4)])))).to.equal('one open');
    expect(await text(inflate(EMPTY_MESSAGE))).to.equal('');
  });

  it('does not do the work for a message of nothing but final blocks', async () => {
    expect(await inflater()(Buffer.concat(Array<Buffer>(10_000).fill(hex('03 00'))))).to.equal('corrupt');
  });

  it('stops with corrupt data', async () => {
    for (const bad of ['ff ff ff', '07', '05 ff ff ff ff ff', 'f2 00 11 00 00']) {
      expect(await inflater()(hex(bad)), bad).to.equal('corrupt');
    }
  });

  it('stops a bomb soon behind the limit, and takes exactly the limit', async () => {
    const limit = 100_000;
    const exact = deflateRawSync(Buffer.alloc(limit));
    expect(await inflater()(exact, limit)).to.have.length(limit);
    expect(await inflater()(deflateRawSync(Buffer.alloc(limit + 1)), limit)).to.equal('too big');
    const layers = deflateRawSync(Buffer.alloc(200_000_000));
    const before = process.memoryUsage().arrayBuffers;
    expect(await inflater()(layers, limit)).to.equal('too big');
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(20_000_000);
    const parts = Buffer.concat(Array<Buffer>(50).fill(deflateRawSync(Buffer.alloc(limit / 10))));
    expect(await inflater()(parts, limit)).to.equal('too big');
  });

  it('every combination of parameters can be read by the other end', async () => {
    const payloads = [
      'Hello',
      'x',
      'Hello'.repeat(1000),
      randomBytes(70_000),
      Buffer.alloc(300_000),
      randomBytes(100),
      'Hello',
    ];
    for (let windowBits = 9; windowBits <= 15; windowBits++) {
      for (const reset of [false, true]) {
        for (const resetInflate of reset ? [false, true] : [false]) {
          const compress = deflater({ windowBits, resetDeflate: reset });
          const inflate = inflater({ resetInflate });
          for (const payload of payloads) {
            const back = await inflate(await compress(payload));
            expect(
              Buffer.from(back as Buffer).equals(Buffer.from(payload as Uint8Array)),
              `${windowBits} ${reset}`,
            ).to.equal(true);
          }
        }
      }
    }
  });

  it('looks back no further than the window that was agreed on', async () => {
    const block = randomBytes(1000);
    const payload = Buffer.concat([block, block]);
    for (const [windowBits, shrinks] of [
      [9, false],
      [12, true],
    ] as const) {
      const packed = await deflater({ windowBits })(payload);
      expect(packed.length < 1500, `${windowBits} bits`).to.equal(shrinks);
      expect(
        inflateRawSync(Buffer.concat([packed, TAIL]), { windowBits, finishFlush: constants.Z_SYNC_FLUSH }).equals(
          payload,
        ),
      ).to.equal(true);
    }
  });

  it('compresses each message by itself when that was agreed on', async () => {
    const compress = deflater({ resetDeflate: true });
    const first = await compress('Hello');
    expect((await compress('Hello')).equals(first)).to.equal(true);
  });

  it('keeps the order of messages that are given at once', async () => {
    const compress = deflater();
    const inflate = inflater();
    const messages = Array.from({ length: 60 }, (_, i) => `${i} `.repeat(1 + (i % 7) * 500));
    const packed = await Promise.all(messages.map((message) => compress(message)));
    for (const [i, payload] of packed.entries()) expect(await text(inflate(payload))).to.equal(messages[i]);
  });

  it('calls nobody after close, in whatever state it was', async () => {
    const called: string[] = [];
    const idle = new Deflater(AGREEMENT);
    idle.close();
    idle.compress(Buffer.from('x'), () => called.push('compressed after close'));
    const busy = Array.from({ length: 30 }, () => new Deflater(AGREEMENT));
    for (const one of busy) {
      one.compress(Buffer.alloc(100_000), () => called.push('deflater'));
      one.compress(Buffer.alloc(100_000), () => called.push('deflater'));
    }
    const reading = Array.from({ length: 30 }, () => new Inflater(AGREEMENT));
    for (const one of reading) one.inflate(deflateRawSync(Buffer.alloc(1_000_000)), 1e9, () => called.push('inflater'));
    for (const one of [...busy, ...reading]) one.close();
    // Those who come later are served all the same: a closed one does not hold its place.
    const compress = deflater();
    const inflate = inflater();
    for (let i = 0; i < 20; i++) expect(await text(inflate(await compress(`later ${i}`)))).to.equal(`later ${i}`);
    expect(called).to.deep.equal([]);
  });

  it('reads back whatever was compressed', async () => {
    const payload = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 2000 }),
      fc.string({ minLength: 1, maxLength: 500 }).map((s) => Buffer.from(s)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(payload, { maxLength: 6 }),
        fc.integer({ min: 9, max: 15 }),
        fc.boolean(),
        async (payloads, windowBits, reset) => {
          const compress = deflater({ windowBits, resetDeflate: reset });
          const inflate = inflater();
          for (const one of payloads)
            expect(((await inflate(await compress(one))) as Buffer).equals(one)).to.equal(true);
          for (const it of open.splice(0)) it.close();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('survives any input', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        const result = await inflater()(Buffer.from(bytes), 1000);
        if (typeof result === 'string') expect(['corrupt', 'too big']).to.include(result);
        else expect(result.length).to.be.at.most(1000);
        for (const it of open.splice(0)) it.close();
      }),
      { numRuns: 200 },
    );
  });
});
