import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'chai';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { waitUntil } from '../support/process.js';
import { play, readTranscript } from '../support/transcript.js';

/** A datagram of statistics without what changes from run to run: how long the call took, and when. */
interface Report {
  module: string;
  method: string;
  success: number;
  code: number;
  message: string;
}

function read(datagram: Buffer): Report {
  const moduleEnd = 17 + datagram[0]!;
  const methodEnd = moduleEnd + datagram[1]!;
  const seconds = datagram.readFloatLE(2);
  expect(seconds).to.be.at.least(0).and.below(60);
  expect(datagram.readUInt32BE(13)).to.be.within(Date.now() / 1000 - 60, Date.now() / 1000 + 1);
  expect(datagram.length).to.equal(methodEnd + datagram.readUInt16BE(11));
  return {
    module: datagram.toString('utf8', 17, moduleEnd),
    method: datagram.toString('utf8', moduleEnd, methodEnd),
    success: datagram[6]!,
    code: datagram.readUInt32BE(7),
    message: datagram.toString('utf8', methodEnd),
  };
}

describe('the example json-rpc', function () {
  this.timeout(150_000);
  let example: Example;
  let statistics: Socket;
  let reports: Report[];

  before(async () => {
    example = await startExample('json-rpc/start.ts', { replacePorts: [2015, 55656] });
    statistics = createSocket('udp4').on('message', (datagram) => reports.push(read(datagram)));
    statistics.bind(example.port(55656), '127.0.0.1');
    await once(statistics, 'listening');
  });
  beforeEach(() => (reports = []));
  after(async () => {
    statistics?.close();
    await cleanUpExamples();
  });

  it('calls services, refuses what there is not, and reports each call over UDP', async () => {
    await play(readTranscript('json-rpc'), { port: example.port(2015) });
    await waitUntil(() => reports.length >= 7, () => `7 reports; there are ${reports.length}`);
    const fine = { success: 1, code: 0, message: '' };
    const missing = { success: 0, code: 404 };
    expect(reports).to.have.deep.members([
      { module: 'User', method: 'getInfoByUid', ...fine },
      { module: 'Blog', method: 'getTitleListByUid', ...fine },
      { module: 'User', method: 'getEmail', ...fine },
      { module: 'User', method: 'nope', ...missing, message: 'class User or method nope not found' },
      { module: 'Nope', method: 'x', ...missing, message: 'class Nope or method x not found' },
      { module: 'User', method: 'getEmail', ...fine },
      { module: 'Blog', method: 'getByBlogId', ...fine },
    ]);
  });

  it('lives on whatever is called with whatever', async () => {
    const long = 'n'.repeat(70_000);
    const peers = { rpc: 'tcp://%port%' };
    const refused = '{"code":400,"msg":"bad request","data":null}\n';
    const missing = (name: string, method: string): string =>
      `{"code":404,"msg":"class ${name} or method ${method} not found","data":null}\n`;
    const call = (name: string, method: string): string =>
      `{"class":"${name}","method":"${method}","param_array":[]}\n`;
    await play(
      {
        peers,
        steps: [
          ['rpc', '>', `null\n[]\n{"class":1,"method":"x","param_array":[]}\n\n`],
          ['rpc', '<', refused.repeat(4)],
          ['rpc', '>', `{"class":"User","method":"getInfoByUid","param_array":[${'['.repeat(9000)}${']'.repeat(9000)}]}\n`],
          ['rpc', '<', refused],
          ['rpc', '>', call('User', 'constructor') + call('constructor', 'name') + call('User', '__proto__')],
          ['rpc', '<', missing('User', 'constructor') + missing('constructor', 'name') + missing('User', '__proto__')],
          ['rpc', '>', call(long, long)],
          ['rpc', '<', missing(long, long)],
        ],
      },
      { port: example.port(2015) },
    );
    await waitUntil(() => reports.length >= 4, () => `4 reports; there are ${reports.length}`);
    // The names are cut to what their lengths can say, the message to what a datagram can hold.
    expect(reports[3]!.module).to.equal(long.slice(0, 255));
    expect(reports[3]!.message).to.have.lengthOf(65_507 - 17 - 2 * 255);
    await example.stop();
  });
});
