import { inPieces, randomFrom } from '../../support/feed.js';
import { OPCODES } from '../../support/websocket.js';
import { good, type Case, type Extent } from '../Case.js';
import { binary, more, ping, pong, text, type Tester } from '../Tester.js';
import type { Compression } from '../subjects.js';
import type { DeflateSetting } from '../Codec.js';

/** Groups 12 and 13: permessage-deflate with different data, and with every combination of its parameters. */

const random = randomFrom(7692);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

function jsonText(size: number): Buffer {
  let all = '';
  while (all.length < size) {
    all += JSON.stringify({
      id: Math.floor(random() * 1e6),
      name: pick(['Müller', 'Smith', '王']),
      tags: [pick(['a', 'b']), random()],
    });
  }
  return asciiCut(all, size);
}

const WORDS = 'the quick brown fox jumps over a lazy dog while nobody is looking at it'.split(' ');
function prose(size: number): Buffer {
  let all = '';
  while (all.length < size) all += `${pick(WORDS)} `;
  return asciiCut(all, size);
}

/** So many bytes of UTF-8, cut between characters. */
function asciiCut(all: string, size: number): Buffer {
  let bytes = Buffer.from(all).subarray(0, size);
  while (bytes.toString().includes('\ufffd')) bytes = bytes.subarray(0, -1);
  return Buffer.concat([bytes, Buffer.alloc(size - bytes.length, '.')]);
}

const noise = (size: number): Buffer => Buffer.from(Uint8Array.from({ length: size }, () => random() * 256));

type Kind = 'text' | 'binary';
const DATA: readonly [group: string, name: string, kind: Kind, make: (size: number) => Buffer][] = [
  ['12.1', 'JSON', 'text', jsonText],
  ['12.2', 'noise', 'binary', noise],
  ['12.3', 'prose', 'text', prose],
  ['12.4', 'zeros', 'binary', (size) => Buffer.alloc(size)],
  ['12.5', 'JSON as bytes', 'binary', jsonText],
];

/** Size of the messages, and of the frames that they come in (0: one frame). */
const SHAPES: readonly [size: number, fragment: number][] = [
  [16, 0],
  [64, 0],
  [256, 0],
  [1024, 0],
  [4096, 0],
  [8192, 0],
  [16_384, 0],
  [32_768, 0],
  [65_536, 0],
  [131_072, 0],
  [8192, 256],
  [16_384, 256],
  [32_768, 256],
  [65_536, 256],
  [131_072, 256],
  [131_072, 1024],
  [131_072, 4096],
  [131_072, 32_768],
];

const plainly: Compression = {
  offer: 'permessage-deflate; client_max_window_bits',
  answer: 'permessage-deflate',
  reply: 'permessage-deflate',
  settings: {
    server: { sendBits: 15, sendAlone: false, receiveBits: 15, receiveAlone: false },
    client: { sendBits: 15, sendAlone: false, receiveBits: 15, receiveAlone: false },
  },
};

async function exchange(t: Tester, kind: Kind, payload: Buffer, fragment: number): Promise<void> {
  const packed = await t.codec!.pack(payload);
  const opcode = OPCODES[kind];
  const parts = fragment === 0 ? [packed] : inPieces(packed, fragment);
  await t.send(
    ...parts.map((part, i) =>
      i === 0 ? { opcode, payload: part, rsv: 4, fin: parts.length === 1 } : more(part, i === parts.length - 1),
    ),
  );
  await t.getsPacked((kind === 'text' ? text : binary)(payload));
}

function ofData({ packed, largestPacked }: Extent): Case[] {
  return DATA.flatMap(([group, name, kind, make]) =>
    SHAPES.filter(([size]) => size <= largestPacked).map(([size, fragment], i) => ({
      ...good(
        `${group}.${i + 1}`,
        `${packed} messages of ${size} bytes of ${name}${fragment ? ` in frames of ${fragment}` : ''}`,
        async (t) => {
          for (let n = 0; n < packed; n++) await exchange(t, kind, make(size), fragment);
        },
      ),
      compression: plainly,
    })),
  );
}

/** What is asked of the end that compresses towards the tester (`own`), and of the tester (`other`). */
interface Wishes {
  ownAlone: boolean;
  ownBits: number | null;
  otherAlone: boolean;
  otherBits: number | null;
}

/** The wishes as a client says them to a server under test, and as a server says them to a client under test. */
function compressionOf({ ownAlone, ownBits, otherAlone, otherBits }: Wishes): Compression {
  const params = (prefix: string, isAlone: boolean, bits: number | null): string =>
    `${isAlone ? `; ${prefix}_no_context_takeover` : ''}${bits === null ? '' : `; ${prefix}_max_window_bits=${bits}`}`;
  const own = params('server', ownAlone, ownBits);
  const setting: DeflateSetting = {
    sendBits: otherBits ?? 15,
    sendAlone: otherAlone,
    receiveBits: ownBits ?? 15,
    receiveAlone: ownAlone,
  };
  return {
    offer: `permessage-deflate${own}${params('client', otherAlone, otherBits)}`,
    answer: `permessage-deflate${own}`,
    reply: `permessage-deflate${params('client', ownAlone, ownBits)}${params('server', otherAlone, otherBits)}`,
    settings: { server: setting, client: setting },
  };
}

const COMBINATIONS: readonly Wishes[] = [false, true].flatMap((ownAlone) =>
  [null, 9, 10, 11, 12, 13, 14, 15].flatMap((ownBits) =>
    [false, true].flatMap((otherAlone) =>
      [null, 9, 15].map((otherBits) => ({ ownAlone, ownBits, otherAlone, otherBits })),
    ),
  ),
);

/** Messages that a context, or a window that is too large, would give away. */
async function telling(t: Tester, count: number, largest: number): Promise<void> {
  const block = noise(5000);
  for (let n = 0; n < count; n++) {
    const payload =
      n % 3 === 0
        ? Buffer.concat([block, block])
        : n % 3 === 1
          ? jsonText(Math.min(largest, 40_000))
          : Buffer.from('the same');
    await exchange(t, n % 3 === 0 ? 'binary' : 'text', payload, n % 2 === 0 ? 0 : 1000);
  }
}

function ofParameters({ packed, largestPacked }: Extent): Case[] {
  const count = Math.max(4, Math.ceil(packed / 3));
  return COMBINATIONS.map((wishes, i) => {
    const compression = compressionOf(wishes);
    return {
      ...good(`13.${i + 1}`, `${compression.offer}, and from a server ${compression.reply}`, (t) =>
        telling(t, count, largestPacked),
      ),
      compression,
    };
  });
}

const SEVERAL = compressionOf({ ownAlone: true, ownBits: 9, otherAlone: false, otherBits: null });

const special: Case[] = [
  {
    ...good('13.s.1', 'several offers, of which the first is taken', (t) => telling(t, 6, 4096)),
    compression: {
      ...SEVERAL,
      offer:
        'permessage-deflate; server_no_context_takeover; server_max_window_bits=9, permessage-deflate; server_no_context_takeover, permessage-deflate',
    },
  },
  {
    ...good('13.s.2', 'an empty message, plain ones between, and a ping between fragments', async (t) => {
      await t.send({ opcode: OPCODES.text, payload: Buffer.of(0), rsv: 4 });
      await t.getsPacked(text(''));
      await t.send(text('plain'));
      await t.getsPacked(text('plain'));
      const packed = await t.codec!.pack(Buffer.from('in two'));
      await t.send(
        { opcode: OPCODES.text, payload: packed.subarray(0, 3), rsv: 4, fin: false },
        ping('between'),
        more(packed.subarray(3), true),
      );
      await t.gets(pong('between'));
      await t.getsPacked(text('in two'));
    }),
    compression: plainly,
  },
  {
    ...good('13.s.3', 'a message that ends with a final block, and one of stored blocks', async (t) => {
      await t.send({ opcode: OPCODES.text, payload: Buffer.from('f348cdc9c9070000', 'hex'), rsv: 4 });
      await t.getsPacked(text('Hello'));
      await t.send({ opcode: OPCODES.text, payload: Buffer.from('000500faff48656c6c6f00', 'hex'), rsv: 4 });
      await t.getsPacked(text('Hello'));
      await t.send({
        opcode: OPCODES.text,
        payload: Buffer.from('f248050000 00ffffcac9c90700'.replace(' ', ''), 'hex'),
        rsv: 4,
      });
      await t.getsPacked(text('Hello'));
    }),
    compression: plainly,
  },
  ...(
    [
      [
        '13.f.1',
        'RSV1 on a continuation',
        1002,
        [
          { opcode: OPCODES.text, payload: 'a', fin: false },
          { ...more('b', true), rsv: 4 },
        ],
      ],
      ['13.f.2', 'RSV1 on a ping', 1002, [{ ...ping(), rsv: 4 }]],
      ['13.f.3', 'RSV2 beside RSV1', 1002, [{ opcode: OPCODES.text, payload: Buffer.of(0), rsv: 6 }]],
      [
        '13.f.4',
        'data that can not be inflated',
        1007,
        [{ opcode: OPCODES.binary, payload: Buffer.of(7, 255), rsv: 4 }],
      ],
      [
        '13.f.5',
        'compressed text that is no UTF-8',
        1007,
        [{ opcode: OPCODES.text, payload: Buffer.from('000200fdffc08000', 'hex'), rsv: 4 }],
      ],
    ] as const
  ).map(([id, title, code, frames]): Case => ({
    id,
    title,
    compression: plainly,
    run: async (t) => {
      await t.send(...frames);
      await t.fails(code);
    },
  })),
];

export const compression = (extent: Extent): Case[] => [...ofData(extent), ...ofParameters(extent), ...special];
