import { expect } from 'chai';
import fc from 'fast-check';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { cutAt, feedShared, inPieces } from '../../support/feed.js';
import { closeBody, frame, fragments, openingRequest, OPCODES } from '../../support/websocket.js';
import { FakeSocket } from '../connection/fakeSocket.js';

const { text, binary, ping, pong, close } = OPCODES;

/** What the two ends of a connection can see of a stream of frames. */
interface Outcome {
  readonly events: string[];
  readonly answers: string;
  readonly status: string;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Feeds the pieces to a connection that echoes, as messages known at sight when `isShared`. */
async function play(pieces: readonly Buffer[], withCallbacks: boolean, isShared: boolean): Promise<Outcome> {
  const socket = new FakeSocket();
  const connection = new TcpConnection(null, socket.asSocket, '127.0.0.1:1');
  const events: string[] = [];
  const note = (name: string, data: string | Buffer): void => {
    events.push(`${name} ${typeof data} ${Buffer.from(data as string).toString('hex')}`);
  };
  connection.protocol = Websocket;
  connection.maxPackageSize = 300;
  connection.onMessage = (_c, data: string | Buffer) => {
    note('message', data);
    if (data === 'end') connection.end('ended');
    else connection.send(data);
  };
  connection.onClose = () => void events.push('close');
  if (withCallbacks) {
    connection.onWebSocketPing = (_c, data) => note('ping', data);
    connection.onWebSocketPong = (_c, data) => note('pong', data);
    connection.onWebSocketClose = (_c, data) => {
      note('close frame', data);
      connection.send('bye');
    };
  }
  await turn();
  for (const piece of pieces) {
    if (isShared) feedShared(connection, piece);
    else if (!socket.destroyed) socket.push(piece);
  }
  await turn();
  await turn();
  const status = connection.getStatus(false) as string;
  const answers = socket.written.toString('latin1');
  connection.onClose = null;
  connection.destroy();
  socket.destroy();
  return { events, answers, status };
}

const TEXT = ['', 'a', 'end', 'hällo €𝄞', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(292), 'x'.repeat(293)];
const WRONG = [Buffer.of(0x61, 0xff), Buffer.of(0xf4, 0x90, 0x80), Buffer.of(0xe2, 0x82)];

const key = fc.constantFrom<boolean | Uint8Array>(true, Uint8Array.of(0, 0, 0, 0));
const body = fc.constantFrom(...TEXT).map((value) => Buffer.from(value));
const control = fc
  .record({ opcode: fc.constantFrom(ping, pong), payload: fc.constantFrom('', 'p', 'x'.repeat(125)), mask: key })
  .map((spec) => frame(spec));
const message = fc
  .record({ opcode: fc.constantFrom(text, text, binary), payload: body, mask: key })
  .map((spec) => frame(spec));
const cutMessage = fc
  .record({ opcode: fc.constantFrom(text, binary), payload: body, at: fc.nat(20), inside: control })
  .map(({ opcode, payload, at, inside }) => {
    const [first, rest] = [payload.subarray(0, at), payload.subarray(at)];
    const begun = frame({ opcode, payload: first, fin: false });
    return Buffer.concat([begun, inside, fragments(0, [rest.subarray(0, 1), rest.subarray(1)])]);
  });
const odd = fc.constantFrom(
  ...WRONG.map((payload) => frame({ opcode: text, payload })),
  frame({ opcode: text, payload: 'a', rsv: 4 }),
  frame({ opcode: text, payload: 'a', mask: false }),
  frame({ opcode: 3 }),
  frame({ opcode: 0, payload: 'a' }),
  frame({ opcode: ping, fin: false }),
  frame({ opcode: ping, payload: 'x'.repeat(126) }),
  frame({ opcode: text, payload: 'ab', lengthBytes: 2 }),
  frame({ opcode: binary, payload: 'ab', lengthBytes: 8 }),
  frame({ opcode: binary, lengthBytes: 8, length: 2n ** 63n }),
  frame({ opcode: binary, lengthBytes: 8, length: 2n ** 54n }),
  frame({ opcode: close }),
  frame({ opcode: close, payload: closeBody(1000, 'done') }),
  frame({ opcode: close, payload: closeBody(1005) }),
  frame({ opcode: close, payload: 'x' }),
  frame({ opcode: text, payload: 'not all of it' }).subarray(0, 11),
);
const begun = fc.constant(frame({ opcode: text, payload: 'a', fin: false }));
const weighted = [message, message, message, message, message, control, control, cutMessage, cutMessage, odd, begun];
const stream = fc.array(fc.oneof(...weighted), { minLength: 1, maxLength: 8 });
const places = fc.array(fc.nat(900), { maxLength: 4 });

describe('a stream of WebSocket frames', () => {
  it('means the same however it is cut, and whether or not its messages are known at sight', async () => {
    let atSight = 0;
    const { recognise } = Websocket;
    Websocket.recognise = function (...args: Parameters<typeof recognise>) {
      const known = recognise.apply(this, args);
      if (known !== undefined) atSight++;
      return known;
    };
    const opening = Buffer.from(openingRequest());
    try {
      await fc.assert(
        fc.asyncProperty(stream, places, fc.boolean(), async (frames, at, callbacks) => {
          const bytes = Buffer.concat(frames);
          const whole = await play([opening, bytes], callbacks, true);
          expect(await play([opening, bytes], callbacks, false), 'not at sight').to.deep.equal(whole);
          expect(await play([opening, ...frames], callbacks, true), 'frame by frame').to.deep.equal(whole);
          expect(await play([opening, ...inPieces(bytes, 1)], callbacks, true), 'byte by byte').to.deep.equal(whole);
          expect(await play([opening, ...cutAt(bytes, at)], callbacks, true), 'cut').to.deep.equal(whole);
          expect(await play([Buffer.concat([opening, bytes])], callbacks, true), 'at once').to.deep.equal(whole);
        }),
        { numRuns: 150 },
      );
    } finally {
      Websocket.recognise = recognise;
    }
    expect(atSight).to.be.greaterThan(100);
  });
});
