import { expect } from 'chai';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { Http } from '../../../../protocols/Http.js';
import type { Request } from '../../../../protocols/http/Request.js';
import { catchReports, closeAll, open, until } from '../../connection/peers.js';

describe('a chunked body that comes in many pieces', () => {
  const reports = catchReports();
  afterEach(closeAll);
  afterEach(() => expect(reports.failures).to.deep.equal([]));

  const words = Array.from({ length: 18 }, (_, i) => `a${String(i).padStart(2, '0')}`);
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

  /** Sends it in twenty pieces to `protocol`, and gives the body that arrives. */
  async function receive(protocol: typeof Http): Promise<string> {
    let body = '';
    const { peer, connection } = await open((made) => {
      made.protocol = protocol;
      made.onMessage = (_c: TcpConnection, request: Request) => (body = request.rawBody());
    });
    let sent = 0;
    for (const piece of [head, ...words.map((word) => `3\r\n${word}\r\n`), '0\r\n\r\n']) {
      await peer.write(piece);
      sent += piece.length;
      await until(() => connection.bytesRead === sent);
    }
    return body;
  }

  it('is looked at piece by piece: nobody puts together what was seen', async () => {
    const { input } = Http;
    const lengths: number[] = [];
    Http.input = (buffer, connection) => {
      lengths.push(buffer.length);
      return input.call(Http, buffer, connection);
    };
    try {
      expect(await receive(Http)).to.equal(words.join(''));
    } finally {
      Http.input = input;
    }
    expect(lengths).to.deep.equal([head.length]);
  });

  it('is shown whole, at each piece, to a class that is derived from Http and cuts in a way of its own', async () => {
    const lengths: number[] = [];
    class Own extends Http {
      static override input(...[buffer, connection]: Parameters<typeof Http.input>): number {
        lengths.push(buffer.length);
        return super.input(buffer, connection);
      }
    }
    expect(await receive(Own)).to.equal(words.join(''));
    const whole = head.length + 18 * 8 + 5;
    expect(lengths).to.deep.equal([...Array.from({ length: 19 }, (_, i) => head.length + i * 8), whole]);
  });
});
