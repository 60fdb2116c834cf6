import { expect } from 'chai';
import type { ConnectionReport } from '../../../../lib/control/messages.js';
import { connectionsScreen, formatSize } from '../../../../lib/screens/connectionsScreen.js';

const connection = (changes: Partial<ConnectionReport>): ConnectionReport => ({
  pid: 17775, worker: 'web', id: 1, transport: 'tcp', protocol: 'Http', ipv4: true, ipv6: false, recvQueue: 0,
  sendQueue: 0, bytesRead: 27, bytesWritten: 106, status: 'ESTABLISHED', localAddress: '127.0.0.1:21001',
  remoteAddress: '127.0.0.1:42616', ...changes,
});

/** What Workerman 5.2.2 prints. `|` marks the ends of lines. */
const RECORDED = `
--------------------------------------------------------------------- WORKERMAN CONNECTION STATUS --------------------------------------------------------------------------------|
PID      Worker          CID       Trans   Protocol        ipv4   ipv6   Recv-Q       Send-Q       Bytes-R      Bytes-W       Status         Local Address          Foreign Address|
17775    web             1         tcp     Http             1      0     0B           0B           27B          106B          ESTABLISHED    127.0.0.1:21001        127.0.0.1:42616       |
17775    web             2         tcp     Http             1      0     20B          0B           20B          0B            ESTABLISHED    127.0.0.1:21001        127.0.0.1:42628       |
17776    chat            1         tcp     Websocket        1      0     0B           0B           140B         155B          ESTABLISHED    127.0.0.1:21002        127.0.0.1:38370       |
`.slice(1).replaceAll('|\n', '\n');

const rowOf = (changes: Partial<ConnectionReport>): string =>
  connectionsScreen({ script: 'start.js', connections: [connection(changes)] }).split('\n')[2] ?? '';

describe('connectionsScreen', () => {
  it('prints the table of Workerman byte for byte, sorted by pid and id', () => {
    const connections = [
      connection({
        pid: 17776, worker: 'chat', protocol: 'Websocket', bytesRead: 140, bytesWritten: 155,
        localAddress: '127.0.0.1:21002', remoteAddress: '127.0.0.1:38370',
      }),
      connection({ id: 2, recvQueue: 20, bytesRead: 20, bytesWritten: 0, remoteAddress: '127.0.0.1:42628' }),
      connection({}),
    ];
    const report = { script: 'start.php', connections };
    const before = structuredClone(report);
    expect(connectionsScreen(report)).to.equal(RECORDED);
    expect(report).to.deep.equal(before);
  });

  it('sorts ids as numbers', () => {
    const connections = [connection({ id: 10 }), connection({ id: 9 }), connection({ pid: 999, id: 11 })];
    const rows = connectionsScreen({ script: 'a', connections }).split('\n').slice(2, 5);
    expect(rows.map((line) => line.slice(25, 27).trim())).to.deep.equal(['11', '9', '10']);
  });

  it('shows the headings alone when there is no connection', () => {
    const headings = RECORDED.split('\n').slice(0, 2).join('\n');
    expect(connectionsScreen({ script: 'a', connections: [] })).to.equal(`${headings}\n`);
  });

  it('cuts a Worker name above 14 characters to 12 and two dots', () => {
    expect(rowOf({ worker: 'abcdefghijklmn' }).slice(9, 25)).to.equal('abcdefghijklmn  ');
    expect(rowOf({ worker: 'abcdefghijklmno' }).slice(9, 25)).to.equal('abcdefghijkl..  ');
  });

  it('cuts a protocol name above 15 characters to 13 and two dots', () => {
    expect(rowOf({ protocol: 'Abcdefghijklmno' }).slice(43, 59)).to.equal('Abcdefghijklmno ');
    expect(rowOf({ protocol: 'Abcdefghijklmnop' }).slice(43, 59)).to.equal('Abcdefghijklm.. ');
  });

  it('shows the transport for a connection without protocol', () => {
    expect(rowOf({ protocol: null, transport: 'unix' }).slice(35, 59)).to.equal('unix    unix            ');
  });

  it('tells IPv6 from IPv4', () => {
    expect(rowOf({ ipv4: false, ipv6: true }).slice(59, 73)).to.equal(' 0      1     ');
  });
});

describe('formatSize', () => {
  const cases: [number, string][] = [
    [0, '0B'], [1, '1B'], [1024, '1024B'], [1025, '1KB'], [1536, '1.5KB'], [10_300, '10.1KB'],
    [1024 ** 2, '1024KB'], [1024 ** 2 + 1, '1MB'], [1024 ** 3, '1024MB'], [1024 ** 3 + 1, '1GB'],
    [1024 ** 4, '1024GB'], [1024 ** 4 + 1, '1TB'], [1024 ** 5 * 2.5, '2560TB'],
  ];
  for (const [bytes, text] of cases) {
    it(`shows ${bytes} bytes as ${text}`, () => {
      expect(formatSize(bytes)).to.equal(text);
    });
  }
});
