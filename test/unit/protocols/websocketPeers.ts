import type { TcpConnection } from '../../../connection/TcpConnection.js';
import { Websocket } from '../../../protocols/Websocket.js';
import { frame, OPCODES, openingRequest, readFrames, type FrameSpec, type ReadFrame } from '../../support/websocket.js';
import { open, until, type Peer, type Place } from '../connection/peers.js';

/** A client that speaks WebSocket by hand, and the server's end of its connection. */
export class Client {
  readonly connection: TcpConnection;
  readonly peer: Peer;
  /** Bytes of the answer to the handshake; 0 before it has come. */
  headLength = 0;

  constructor(connection: TcpConnection, peer: Peer) {
    this.connection = connection;
    this.peer = peer;
  }

  /** The answer to the handshake. */
  get head(): string {
    return this.peer.text.slice(0, this.headLength);
  }

  get frames(): ReadFrame[] {
    return readFrames(this.peer.bytes.subarray(this.headLength)).frames;
  }

  /** Each frame as its first byte in hex and its payload as text, Close frames as their code. */
  get shown(): string[] {
    return this.frames.map((one) => {
      const first = ((one.fin ? 0x80 : 0) | (one.rsv << 4) | one.opcode).toString(16);
      const isClose = one.opcode === OPCODES.close && one.payload.length >= 2;
      return `${first} ${isClose ? one.payload.readUInt16BE(0) + one.payload.toString('utf8', 2) : one.payload.toString()}`;
    });
  }

  /** Sends frames, in one write. */
  write(...frames: (FrameSpec | Buffer)[]): Promise<void> {
    return this.peer.write(Buffer.concat(frames.map((one) => (Buffer.isBuffer(one) ? one : frame(one)))));
  }

  text(payload: string): Promise<void> {
    return this.write({ opcode: OPCODES.text, payload });
  }

  /** Waits for so many frames. */
  async gets(count: number): Promise<string[]> {
    await until(() => this.frames.length >= count);
    return this.shown;
  }

  /** Waits for the server's FIN, and gives everything that came before it. */
  async end(): Promise<string[]> {
    await until(() => this.peer.ended || this.peer.closed);
    return this.shown;
  }
}

/** A connection that speaks Websocket, with nothing said yet. */
export async function accept(
  prepare: (connection: TcpConnection) => void = () => {},
  place: Place = {},
): Promise<Client> {
  const { connection, peer } = await open((made) => {
    made.protocol = Websocket;
    made.onMessage = () => {};
    prepare(made);
  }, place);
  return new Client(connection, peer);
}

/** The same with the handshake done. */
export async function shakeHands(
  prepare: (connection: TcpConnection) => void = () => {},
  headers: Record<string, string | string[] | null> = {},
): Promise<Client> {
  const client = await accept(prepare);
  await client.peer.write(openingRequest(headers));
  await headArrives(client);
  return client;
}

/** Waits for the empty line. */
export async function headArrives(client: Client): Promise<void> {
  await client.peer.gets(/\r\n\r\n/);
  client.headLength = client.peer.text.indexOf('\r\n\r\n') + 4;
}

/** Sends what comes back. */
export const echo = (connection: TcpConnection, data: unknown): void => void connection.send(data);
