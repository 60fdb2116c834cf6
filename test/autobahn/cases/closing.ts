import { closeBody, OPCODES, type FrameSpec } from '../../support/websocket.js';
import { numbered, type Case } from '../Case.js';
import { close, more, ping, text, type Wanted } from '../Tester.js';

/** Group 7: the closing handshake, its payload and its codes. */

/** Sends the frames; a normal Close comes back behind what is wanted, and nothing for what lies behind the client's. */
const closed =
  (title: string, frames: readonly FrameSpec[], wanted: readonly Wanted[] = []) =>
  (id: string): Case => ({
    id,
    title,
    run: async (t) => {
      await t.send(...frames);
      await t.gets(...wanted, close());
      await t.ends();
    },
  });

const failed =
  (title: string, frame: FrameSpec, code: number) =>
  (id: string): Case => ({
    id,
    title,
    run: async (t) => {
      await t.send(frame);
      await t.fails(code);
    },
  });

const hello = text('Hello World!');
const begin: FrameSpec = { opcode: OPCODES.text, payload: 'fragment1', fin: false };
const long = text('0123456789'.repeat(26_214));

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const INVALID = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

export const closing: Case[] = [
  ...numbered('7.1', [
    closed('a message, then a close frame', [hello, close()], [hello]),
    closed('two close frames', [close(), close()]),
    closed('a ping behind the close frame', [close(), ping()]),
    closed('a message behind the close frame', [close(), hello]),
    closed('a close frame between two fragments', [begin, close(), more('fragment2', true)]),
    closed('a long message, a close frame and a ping', [long, close(), ping()], [long]),
  ]),
  ...numbered('7.3', [
    closed('no payload', [close('')]),
    failed('a payload of one byte', close('a'), 1002),
    closed('a code alone', [close()]),
    closed('a code and a reason', [close(closeBody(1000, 'Hello World!'))]),
    closed('a code and the longest reason', [close(closeBody(1000, '*'.repeat(123)))]),
    failed('a reason that is too long', close(closeBody(1000, '*'.repeat(124))), 1002),
  ]),
  ...numbered('7.5', [
    failed(
      'a reason that is no UTF-8',
      close(closeBody(1000, Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex'))),
      1007,
    ),
  ]),
  ...numbered(
    '7.7',
    VALID.map((code) => closed(`the code ${code}`, [close(closeBody(code))])),
  ),
  ...numbered(
    '7.9',
    INVALID.map((code) => failed(`the code ${code}`, close(closeBody(code)), 1002)),
  ),
  ...numbered(
    '7.13',
    INVALID.map((code) => failed(`the code ${code} with a reason`, close(closeBody(code, 'why')), 1002)),
  ),
];
