import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { play, readTranscript } from '../support/transcript.js';

/** A file as it is sent to the binary protocol, in hexadecimal. */
function packet(name: string | Buffer, content: string): string {
  const nameBytes = Buffer.from(name as string);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(5 + nameBytes.length + content.length, 0);
  head.writeUInt8(nameBytes.length, 4);
  return `hex:${Buffer.concat([head, nameBytes, Buffer.from(content)]).toString('hex')}`;
}

describe('the example file-transfer', function () {
  this.timeout(150_000);
  let example: Example;
  let folder: string;
  let parent: string;

  before(async () => {
    parent = mkdtempSync(join(tmpdir(), 'workerman-ts-uploads-'));
    folder = join(parent, 'uploads');
    example = await startExample('file-transfer/start.ts', { replacePorts: [8333, 8334], env: { UPLOAD_FOLDER: folder } });
  });
  after(async () => {
    await cleanUpExamples();
    rmSync(parent, { recursive: true });
  });

  const saved = (name: string): string => readFileSync(join(folder, name)).toString('hex');

  it('saves what comes with a length in front of it, whole, in pieces, or two files at once', async () => {
    await play(readTranscript('binary-transfer'), { port: example.port(8333), folder });
    expect(saved('a.bin')).to.equal(Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256)).toString('hex'));
    expect([saved('x1'), saved('x2')]).to.deep.equal(['31', '']);
  });

  it('saves what comes in a line of JSON', async () => {
    await play(readTranscript('text-transfer'), { port: example.port(8334), folder });
    expect(saved('b.bin')).to.equal('0001feff');
  });

  it('writes nowhere else, whatever a file is called', async () => {
    writeFileSync(join(parent, 'secret'), 'mine');
    const peers = { binary: 'tcp://%binary%', text: 'tcp://%text%' };
    const json = (name: unknown): string => `${JSON.stringify({ file_name: name, file_data: 'eA==' })}\n`;
    const saves = (name: string): string => `upload success. save path %folder%/${name}`;
    const failed = 'upload failed';
    const strange = Buffer.alloc(255, 0xff); // no UTF-8, and too long when it is made UTF-8
    await play(
      {
        peers,
        steps: [
          ['binary', '>', packet('../secret', 'x')],
          ['binary', '<', saves('secret')],
          ['binary', '>', packet('..\\..\\win', 'x')],
          ['binary', '<', saves('win')],
          ['binary', '>', packet('..', 'x')],
          ['binary', '<', failed],
          ['binary', '>', packet('a/', 'x')],
          ['binary', '<', failed],
          ['binary', '>', packet('', 'x')],
          ['binary', '<', failed],
          ['binary', '>', packet('n\0l', 'x')],
          ['binary', '<', failed],
          ['binary', '>', packet(strange, 'x')],
          ['binary', '<', failed],
          ['text', '>', json('/etc/abs') + json('..') + json({ toString: 1 }) + json(null) + 'garbage\n1\nnull\n'],
          ['text', '<', saves('abs') + failed.repeat(6)],
          // A length that is less than that of the head.
          ['binary', '>', 'hex:0000000400'],
          ['binary', 'closed'],
        ],
      },
      { binary: example.port(8333), text: example.port(8334), folder },
    );
    expect(readFileSync(join(parent, 'secret'), 'utf8')).to.equal('mine');
    expect(readdirSync(parent).sort()).to.deep.equal(['secret', 'uploads']);
    expect(readdirSync(folder).sort()).to.deep.equal(['a.bin', 'abs', 'b.bin', 'secret', 'win', 'x1', 'x2']);
    await example.stop();
  });
});
