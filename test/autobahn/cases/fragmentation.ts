import { OPCODES, type FrameSpec } from '../../support/websocket.js';
import { good, type Case } from '../Case.js';
import { more, ping, pong, text, type Tester, type Wanted } from '../Tester.js';

/** Group 5: fragmentation. Where a case has three numbers, its frames go out at once, one by one and byte by byte. */

const begin = (payload: string): FrameSpec => ({ opcode: OPCODES.text, payload, fin: false });

type Sending = (tester: Tester, frames: readonly FrameSpec[]) => Promise<void>;

const together: Sending = (t, frames) => t.send(...frames);
const oneByOne: Sending = async (t, frames) => {
  for (const one of frames) await t.send(one);
};
const byteByByte: Sending = (t, frames) => t.sendBytes(Buffer.concat(frames.map((one) => t.frame(one))), 1);

const WAYS: readonly [name: string, sending: Sending][] = [
  ['in one write', together],
  ['frame by frame', oneByOne],
  ['byte by byte', byteByByte],
];

const inThreeWays = (
  first: number,
  title: string,
  frames: readonly FrameSpec[],
  wanted: readonly Wanted[],
  fails = false,
): Case[] =>
  WAYS.map(([name, sending], i) => ({
    id: `5.${first + i}`,
    title: `${title}, ${name}`,
    run: async (t) => {
      await sending(t, frames);
      await t.gets(...wanted);
      if (fails) await t.fails(1002);
      else await t.closes();
    },
  }));

const failing = (id: string, title: string, frames: readonly FrameSpec[], wanted: readonly Wanted[] = []): Case => ({
  id,
  title,
  run: async (t) => {
    await t.send(...frames);
    await t.gets(...wanted);
    await t.fails(1002);
  },
});

const joined = text('fragment1fragment2');
const orphan = (fin: boolean): FrameSpec => more('of nothing', fin);
const hello = text('Hello, world!');
const five = [
  begin('fragment1'),
  more('fragment2'),
  ping('first ping'),
  more('fragment3'),
  more('fragment4'),
  ping('second ping'),
  more('fragment5', true),
];
const fiveWanted = [pong('first ping'), pong('second ping'), text('fragment1fragment2fragment3fragment4fragment5')];

export const fragmentation: Case[] = [
  failing('5.1', 'a ping in two fragments', [{ ...ping('fragment1'), fin: false }, more('fragment2', true)]),
  failing('5.2', 'a pong in two fragments', [{ ...pong('fragment1'), fin: false }, more('fragment2', true)]),
  ...inThreeWays(3, 'a text message in two fragments', [begin('fragment1'), more('fragment2', true)], [joined]),
  ...inThreeWays(
    6,
    'a text message in two fragments with a ping between',
    [begin('fragment1'), ping('between'), more('fragment2', true)],
    [pong('between'), joined],
  ),
  ...inThreeWays(9, 'a last continuation of nothing', [orphan(true), hello], [], true),
  ...inThreeWays(12, 'a continuation of nothing', [orphan(false), hello], [], true),
  failing(
    '5.15',
    'a continuation of nothing behind a message in two fragments',
    [begin('fragment1'), more('fragment2', true), more('fragment3'), text('fragment4')],
    [joined],
  ),
  failing('5.16', 'a continuation of nothing, then a message in two fragments, twice', [
    more('fragment1'),
    begin('fragment2'),
    more('fragment3', true),
    more('fragment4'),
    begin('fragment5'),
    more('fragment6', true),
  ]),
  failing('5.17', 'a last continuation of nothing, then a message in two fragments, twice', [
    more('fragment1', true),
    begin('fragment2'),
    more('fragment3', true),
    more('fragment4', true),
    begin('fragment5'),
    more('fragment6', true),
  ]),
  failing('5.18', 'two text messages of which the first is not over', [begin('fragment1'), text('fragment2')]),
  good('5.19', 'a message in five fragments with two pings between', async (t) => {
    await t.send(...five.slice(0, 3));
    await t.gets(fiveWanted[0]!);
    await t.send(...five.slice(3, 6));
    await t.gets(fiveWanted[1]!);
    await t.send(five[6]!);
    await t.gets(fiveWanted[2]!);
  }),
  good('5.20', 'the same without waiting for the pongs', async (t) => {
    await t.send(...five);
    await t.gets(...fiveWanted);
  }),
];
