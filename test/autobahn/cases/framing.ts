import { OPCODES, type FrameSpec } from '../../support/websocket.js';
import { good, numbered, type Case } from '../Case.js';
import { binary, close, more, ping, pong, text, type Tester, type Wanted } from '../Tester.js';

/** Groups 1 to 4 and 10: framing, pings and pongs, reserved bits, opcodes, cut transmission. */

const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536];

const echoed =
  (title: string, message: FrameSpec & Wanted) =>
  (id: string): Case =>
    good(id, title, async (t) => {
      await t.send(message);
      await t.gets(message);
    });

const inChops =
  (title: string, message: FrameSpec & Wanted, size: number) =>
  (id: string): Case =>
    good(id, title, async (t) => {
      await t.sendBytes(t.frame(message), size);
      await t.gets(message);
    });

export const framing: Case[] = [
  ...numbered('1.1', [
    ...SIZES.map((size) => echoed(`a text message of ${size} bytes`, text('*'.repeat(size)))),
    inChops('a text message of 65536 bytes in pieces of 997', text('*'.repeat(65_536)), 997),
  ]),
  ...numbered('1.2', [
    ...SIZES.map((size) => echoed(`a binary message of ${size} bytes`, binary(Buffer.alloc(size, 0xfe)))),
    inChops('a binary message of 65536 bytes in pieces of 997', binary(Buffer.alloc(65_536, 0xfe)), 997),
  ]),
];

const BYTES = Buffer.of(0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff);

const ponged =
  (title: string, payload: string | Buffer) =>
  (id: string): Case =>
    good(id, title, async (t) => {
      await t.send(ping(payload));
      await t.gets(pong(payload));
    });

const tenPings = async (t: Tester, send: (frames: FrameSpec[]) => Promise<void>): Promise<void> => {
  const payloads = Array.from({ length: 10 }, (_, i) => `payload-${i}`);
  await send(payloads.map((payload) => ping(payload)));
  await t.gets(...payloads.map((payload) => pong(payload)));
};

export const pings: Case[] = numbered('2', [
  ponged('a ping without payload', ''),
  ponged('a ping with text', 'Hello, world!'),
  ponged('a ping with bytes that are no UTF-8', BYTES),
  ponged('a ping with 125 bytes', Buffer.alloc(125, 0xfe)),
  (id) => ({
    id,
    title: 'a ping with 126 bytes',
    run: async (t) => {
      await t.send(ping(Buffer.alloc(126, 0xfe)));
      await t.fails(1002);
    },
  }),
  (id) =>
    good(id, 'a ping with 125 bytes, byte by byte', async (t) => {
      await t.sendBytes(t.frame(ping(Buffer.alloc(125, 0xfe))), 1);
      await t.gets(pong(Buffer.alloc(125, 0xfe)));
    }),
  (id) => good(id, 'a pong that nobody asked for', (t) => t.send(pong())),
  (id) => good(id, 'a pong with payload that nobody asked for', (t) => t.send(pong('nobody asked'))),
  (id) =>
    good(id, 'such a pong, then a ping', async (t) => {
      await t.send(pong('nobody asked'), ping('answer this'));
      await t.gets(pong('answer this'));
    }),
  (id) => good(id, 'ten pings', (t) => tenPings(t, (frames) => t.send(...frames))),
  (id) =>
    good(id, 'ten pings, byte by byte', (t) =>
      tenPings(t, (frames) => t.sendBytes(Buffer.concat(frames.map((one) => t.frame(one))), 1)),
    ),
]);

/** The subject fails; what was sent before the offence is still answered, what comes behind it is not. */
const failing =
  (title: string, before: (FrameSpec & Wanted)[], offence: FrameSpec, behind: FrameSpec[] = [], size?: number) =>
  (id: string): Case => ({
    id,
    title,
    run: async (t) => {
      const all = [...before, offence, ...behind];
      if (size === undefined) await t.send(...all);
      else await t.sendBytes(Buffer.concat(all.map((one) => t.frame(one))), size);
      await t.gets(...before);
      await t.fails(1002);
    },
  });

const hello = text('Hello, world!');

export const reserved: Case[] = numbered('3', [
  failing('RSV 1 on a text message', [], { ...hello, rsv: 1 }),
  failing('RSV 2 behind a good message', [hello], { ...hello, rsv: 2 }, [ping()]),
  failing('RSV 3 behind a good message', [hello], { ...hello, rsv: 3 }, [ping()]),
  failing('RSV 4 behind a good message, byte by byte', [hello], { ...hello, rsv: 4 }, [ping()], 1),
  failing('RSV 5 on a binary message', [], { ...binary(BYTES), rsv: 5 }),
  failing('RSV 6 on a ping', [], { ...ping('Hello'), rsv: 6 }),
  failing('RSV 7 on a close frame', [], { ...close(), rsv: 7 }),
]);

const opcodeCases = (codes: readonly number[]): ((id: string) => Case)[] => [
  failing(`opcode ${codes[0]}`, [], { opcode: codes[0]! }),
  failing(`opcode ${codes[1]} with payload`, [], { opcode: codes[1]!, payload: 'means nothing' }),
  failing(`opcode ${codes[2]} behind a good message`, [hello], { opcode: codes[2]! }, [ping()]),
  failing(
    `opcode ${codes[3]} with payload behind a good message`,
    [hello],
    { opcode: codes[3]!, payload: 'reserved' },
    [ping()],
  ),
  failing(
    `opcode ${codes[4]} behind a good message, byte by byte`,
    [hello],
    { opcode: codes[4]!, payload: 'reserved' },
    [ping()],
    1,
  ),
];

export const opcodes: Case[] = [
  ...numbered('4.1', opcodeCases([3, 4, 5, 6, 7])),
  ...numbered('4.2', opcodeCases([11, 12, 13, 14, 15])),
];

export const autoFragment: Case[] = numbered('10.1', [
  (id) =>
    good(id, 'a text message of 65536 bytes in frames of 1300', async (t) => {
      const payload = '*'.repeat(65_536);
      const parts = payload.match(/.{1,1300}/g)!;
      await t.send(
        ...parts.map((part, i) =>
          i === 0 ? { opcode: OPCODES.text, payload: part, fin: false } : more(part, i === parts.length - 1),
        ),
      );
      await t.gets(text(payload));
    }),
]);
