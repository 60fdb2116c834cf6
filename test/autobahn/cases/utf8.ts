import { inPieces } from '../../support/feed.js';
import { closeBody, OPCODES, type FrameSpec } from '../../support/websocket.js';
import { good, type Case } from '../Case.js';
import { more, text, type Tester } from '../Tester.js';

/** Group 6: UTF-8. Sequences are given in hexadecimal, as in Markus Kuhn's collection that the suite goes by. */

const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(' ', ''), 'hex');

const begin = (payload: string | Uint8Array): FrameSpec => ({ opcode: OPCODES.text, payload, fin: false });

const inFragments = (parts: readonly (string | Uint8Array)[]): FrameSpec[] =>
  parts.map((part, i) => (i === 0 ? begin(part) : more(part, i === parts.length - 1)));

const accepted = (id: string, title: string, parts: readonly (string | Uint8Array)[]): Case =>
  good(id, title, async (t) => {
    await t.send(...(parts.length === 1 ? [text(parts[0]!)] : inFragments(parts)));
    await t.gets(text(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)))));
  });

const refused = (id: string, title: string, parts: readonly (string | Uint8Array)[]): Case => ({
  id,
  title,
  run: async (t) => {
    await t.send(...(parts.length === 1 ? [text(parts[0]!)] : inFragments(parts)));
    await t.fails(1007);
  },
});

const GREEK = 'κόσμε';
const LONG = `Grüße-µ@ßöäü-aus-Köln!`;
const INVALID = hex('ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74 65 64');

const bytewise = (bytes: string | Uint8Array): Buffer[] => inPieces(Buffer.from(bytes as Uint8Array), 1);

const plain: Case[] = [
  accepted('6.1.1', 'an empty text', ['']),
  accepted('6.1.2', 'an empty text in three fragments', ['', '', '']),
  accepted('6.1.3', 'an empty fragment before and behind', ['', 'the middle', '']),
  accepted('6.2.1', 'a text in one frame', [LONG]),
  accepted('6.2.2', 'a text in two fragments, cut between characters', ['Grüße-µ@ßöä', 'ü-aus-Köln!']),
  accepted('6.2.3', 'a text in fragments of one byte', bytewise(LONG)),
  accepted('6.2.4', 'another text in fragments of one byte', bytewise(GREEK)),
  refused('6.3.1', 'a text that is no UTF-8', [INVALID]),
  refused('6.3.2', 'the same in fragments of one byte', bytewise(INVALID)),
];

const OVERSIZED = hex('ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65 64 69 74 65 64');

/** The subject has to fail before the rest is sent, at the byte at `bad`. */
const failFast = (id: string, title: string, send: (t: Tester) => Promise<void>): Case => ({
  id,
  title,
  run: async (t) => {
    await send(t);
    await t.fails(1007);
  },
});

/** The beginning of one frame that holds all of OVERSIZED. */
const beginningOf = (t: Tester, bytes: number): Buffer => {
  const whole = t.frame(text(OVERSIZED));
  return whole.subarray(0, whole.length - OVERSIZED.length + bytes);
};

const fast: Case[] = [
  failFast('6.4.1', 'a bad sequence in the second of three fragments', async (t) => {
    await t.send(begin(OVERSIZED.subarray(0, 11)));
    await t.send(more(OVERSIZED.subarray(11, 15)));
  }),
  failFast('6.4.2', 'a bad sequence of which the second fragment has the first half', async (t) => {
    await t.send(begin(OVERSIZED.subarray(0, 12)));
    await t.send(more(OVERSIZED.subarray(12, 13)));
  }),
  failFast('6.4.3', 'a bad sequence in one frame that is not over', async (t) => {
    await t.sendBytes(beginningOf(t, 11));
    const begun = beginningOf(t, 11).length;
    await t.sendBytes(beginningOf(t, 15).subarray(begun));
  }),
  failFast('6.4.4', 'the first half of a bad sequence in one frame that is not over', async (t) => {
    await t.sendBytes(beginningOf(t, 12));
    const begun = beginningOf(t, 12).length;
    await t.sendBytes(beginningOf(t, 13).subarray(begun));
  }),
];

/** Every way to send a sequence that is valid: in one frame and in fragments of one byte. */
const both = (make: typeof accepted, id: string, bytes: string): Case[] => [
  make(id, bytes || 'nothing', [hex(bytes)]),
  make(`${id}+`, `${bytes || 'nothing'}, in fragments of one byte`, bytewise(hex(bytes))),
];

const group = (number: string, make: typeof accepted, sequences: readonly string[]): Case[] =>
  sequences.flatMap((bytes, i) => both(make, `6.${number}.${i + 1}`, bytes));

const SURROGATES = ['ed a0 80', 'ed ad bf', 'ed ae 80', 'ed af bf', 'ed b0 80', 'ed be 80', 'ed bf bf'];
const PAIRS = [
  'ed a0 80 ed b0 80',
  'ed a0 80 ed bf bf',
  'ed ad bf ed b0 80',
  'ed ad bf ed bf bf',
  'ed ae 80 ed b0 80',
  'ed ae 80 ed bf bf',
  'ed af bf ed b0 80',
  'ed af bf ed bf bf',
];
const NON_CHARACTERS = [
  'ef bf be',
  'ef bf bf',
  ...Array.from({ length: 16 }, (_, plane) =>
    [0xfffe, 0xffff].map((low) => Buffer.from(String.fromCodePoint((plane + 1) * 0x10000 + low)).toString('hex')),
  ).flat(),
];

/** All beginnings of a text of Greek letters: those that end inside a character are refused. */
const prefixes: Case[] = Array.from({ length: 11 }, (_, i) => {
  const bytes = Buffer.from(GREEK).subarray(0, i + 1);
  const whole = bytes.toString().includes('\ufffd') ? refused : accepted;
  return whole(`6.6.${i + 1}`, `the first ${i + 1} bytes of a text`, [bytes]);
});

const inclose: Case = {
  id: '6.x',
  title: 'a reason of a close frame that is no UTF-8',
  run: async (t) => {
    await t.send({ opcode: OPCODES.close, payload: closeBody(1000, INVALID) });
    await t.fails(1007);
  },
};

export const utf8: Case[] = [
  ...plain,
  ...fast,
  accepted('6.5.1', 'a Greek word', [GREEK]),
  accepted('6.5.2', 'a Greek word in two fragments, cut inside a letter', inPieces(Buffer.from(GREEK), 3)),
  accepted('6.5.3', 'characters of each length', ['\u0000\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}']),
  accepted(
    '6.5.4',
    'the same in fragments of one byte',
    bytewise('\u0000\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}'),
  ),
  accepted('6.5.5', 'a long text in fragments of three bytes', inPieces(Buffer.from(LONG.repeat(20)), 3)),
  ...prefixes,
  ...group('7', accepted, ['00', 'c2 80', 'e0 a0 80', 'f0 90 80 80']),
  ...group('8', refused, ['f8 88 80 80 80', 'fc 84 80 80 80 80']),
  ...group('9', accepted, ['7f', 'df bf', 'ef bf bf', 'f4 8f bf bf']),
  ...group('10', refused, ['f7 bf bf bf', 'fb bf bf bf bf', 'fd bf bf bf bf bf']),
  ...group('11', accepted, ['ed 9f bf', 'ee 80 80', 'ef bf bd', 'f4 8f bf bf']),
  ...group('11b', refused, ['f4 90 80 80']),
  ...group('12', refused, [
    '80',
    'bf',
    '80 bf',
    '80 bf 80',
    '80 bf 80 bf',
    '80 bf 80 bf 80',
    '80 bf 80 bf 80 bf',
    Array.from({ length: 64 }, (_, i) => (0x80 + i).toString(16)).join(' '),
  ]),
  ...group(
    '13',
    refused,
    [
      [0xc0, 0xdf],
      [0xe0, 0xef],
      [0xf0, 0xf7],
      [0xf8, 0xfb],
      [0xfc, 0xfd],
    ].map(([from, to]) =>
      Array.from({ length: to! - from! + 1 }, (_, i) => `${(from! + i).toString(16)} 20`).join(' '),
    ),
  ),
  ...group('14', refused, [
    'c0',
    'e0 80',
    'f0 80 80',
    'f8 80 80 80',
    'fc 80 80 80 80',
    'df',
    'ef bf',
    'f7 bf bf',
    'fb bf bf bf',
    'fd bf bf bf bf',
  ]),
  ...group('15', refused, [
    'c0 e0 80 f0 80 80 f8 80 80 80 fc 80 80 80 80 df ef bf f7 bf bf fb bf bf bf fd bf bf bf bf',
  ]),
  ...group('16', refused, ['fe', 'ff', 'fe fe ff ff']),
  ...group('17', refused, ['c0 af', 'e0 80 af', 'f0 80 80 af', 'f8 80 80 80 af', 'fc 80 80 80 80 af']),
  ...group('18', refused, ['c1 bf', 'e0 9f bf', 'f0 8f bf bf', 'f8 87 bf bf bf', 'fc 83 bf bf bf bf']),
  ...group('19', refused, ['c0 80', 'e0 80 80', 'f0 80 80 80', 'f8 80 80 80 80', 'fc 80 80 80 80 80']),
  ...group('20', refused, SURROGATES),
  ...group('21', refused, PAIRS),
  ...group('22', accepted, NON_CHARACTERS),
  ...group('23', accepted, ['ef bf b9', 'ef bf ba', 'ef bf bb', 'ef bf bc', 'ef bf bd', 'ef bf be', 'ef bf bf']),
  inclose,
];
