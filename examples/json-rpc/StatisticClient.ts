import { AsyncUdpConnection } from 'workerman-ts';

/** Most bytes that one byte can count. */
const MAX_NAME = 255;
/** Most bytes of a datagram over IPv4. */
const MAX_DATAGRAM = 65_507;
const HEAD = 17;

/** Reports calls to a statistics server, a datagram each. Nobody waits for it, and it does not matter if it is away. */
export class StatisticClient {
  readonly #connection: AsyncUdpConnection;

  /** @param address such as `udp://127.0.0.1:55656`; the socket is opened with the first report */
  constructor(address: string) {
    this.#connection = new AsyncUdpConnection(address);
  }

  /** Starts the clock for a call. @returns what is to be called when it has ended */
  begin(module: string, method: string): (success: boolean, code: number, message: string) => void {
    const start = performance.now();
    return (success, code, message) => {
      const seconds = (performance.now() - start) / 1000;
      this.#connection.send(encodeReport(module, method, seconds, success, code, message));
    };
  }
}

/**
 * The head, in PHP's words pack('CCfCNnN', …): lengths of both names, seconds as a float, success, code, length of the
 * message, time of day; then the three texts. What does not fit is cut off.
 */
function encodeReport(
  module: string,
  method: string,
  seconds: number,
  success: boolean,
  code: number,
  message: string,
): Buffer {
  const moduleBytes = Buffer.from(module).subarray(0, MAX_NAME);
  const methodBytes = Buffer.from(method).subarray(0, MAX_NAME);
  const room = MAX_DATAGRAM - HEAD - moduleBytes.length - methodBytes.length;
  const messageBytes = Buffer.from(message).subarray(0, room);

  const head = Buffer.alloc(HEAD);
  head.writeUInt8(moduleBytes.length, 0);
  head.writeUInt8(methodBytes.length, 1);
  head.writeFloatLE(seconds, 2);
  head.writeUInt8(success ? 1 : 0, 6);
  head.writeUInt32BE(code, 7);
  head.writeUInt16BE(messageBytes.length, 11);
  head.writeUInt32BE(Math.floor(Date.now() / 1000), 13);
  return Buffer.concat([head, moduleBytes, methodBytes, messageBytes]);
}
