import { inPieces } from '../../support/feed.js';
import { OPCODES, type FrameSpec } from '../../support/websocket.js';
import { good, type Case, type Extent } from '../Case.js';
import { binary, more, text, type Wanted } from '../Tester.js';

/** Group 9: large messages, whole, in fragments and in pieces; many round trips. */

const KIB = 1024;
const MIB = 1024 * KIB;

const pattern = (size: number): Buffer => Buffer.alloc(size, 'workerman-ts');

const KINDS: readonly [name: string, make: (payload: Buffer) => FrameSpec & Wanted][] = [
  ['text', text],
  ['binary', binary],
];

const sizeName = (size: number): string =>
  size >= MIB ? `${size / MIB} MiB` : size >= KIB ? `${size / KIB} KiB` : `${size} bytes`;

export function limits({ largest, roundTrips }: Extent): Case[] {
  const sizes = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].filter((size) => size <= largest);
  const fragmented = Math.min(4 * MIB, largest);
  const chopped = Math.min(MIB, largest);
  return KINDS.flatMap(([kind, make], k) => [
    ...sizes.map((size, i) =>
      good(`9.${1 + k}.${i + 1}`, `a ${kind} message of ${sizeName(size)}`, async (t) => {
        const message = make(pattern(size));
        await t.send(message);
        await t.gets(message);
      }),
    ),
    ...[64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB]
      .filter((size) => size <= fragmented)
      .map((size, i) =>
        good(
          `9.${3 + k}.${i + 1}`,
          `a ${kind} message of ${sizeName(fragmented)} in fragments of ${sizeName(size)}`,
          async (t) => {
            const message = make(pattern(fragmented));
            const parts = inPieces(message.payload as Buffer, size);
            const opcode = k === 0 ? OPCODES.text : OPCODES.binary;
            const frames = parts.map((part, n) =>
              t.frame(
                n === 0 ? { opcode, payload: part, fin: parts.length === 1 } : more(part, n === parts.length - 1),
              ),
            );
            await t.sendBytes(Buffer.concat(frames));
            await t.gets(message);
          },
        ),
      ),
    ...[64, 128, 256, 512, KIB, 2 * KIB].map((size, i) =>
      good(
        `9.${5 + k}.${i + 1}`,
        `a ${kind} message of ${sizeName(chopped)} in pieces of ${sizeName(size)}`,
        async (t) => {
          const message = make(pattern(chopped));
          await t.sendBytes(t.frame(message), size);
          await t.gets(message);
        },
      ),
    ),
    ...[0, 16, 64, 256, KIB, 4 * KIB].map((size, i) =>
      good(`9.${7 + k}.${i + 1}`, `${roundTrips} round trips of ${kind} messages of ${sizeName(size)}`, async (t) => {
        const message = make(pattern(size));
        for (let n = 0; n < roundTrips; n++) {
          await t.send(message);
          await t.gets(message);
        }
      }),
    ),
  ]);
}
