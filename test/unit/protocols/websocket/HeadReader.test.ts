import { expect } from 'chai';
import { HeadReader } from '../../../../protocols/websocket/HeadReader.js';
import { deliveries } from '../../../support/feed.js';

describe('HeadReader', () => {
  it('takes the head and nothing behind it, however it comes', () => {
    const head = 'GET / HTTP/1.1\r\nA: b\r\n\r\n';
    for (const { name, pieces } of deliveries(Buffer.from(`${head}frames`))) {
      const reader = new HeadReader();
      let used = 0;
      for (const piece of pieces) {
        const step = reader.read(piece);
        used += step.used;
        if (step.state === 'complete') break;
        expect(step, name).to.deep.equal({ used: piece.length, state: 'more' });
      }
      expect(used, name).to.equal(head.length);
      expect(reader.head.toString()).to.equal(head);
    }
  });

  it('is content with an empty line that begins at 16383, and not with a longer head', () => {
    const exact = Buffer.concat([Buffer.alloc(16_383, 'a'), Buffer.from('\r\n\r\n')]);
    expect(new HeadReader().read(exact).state).to.equal('complete');
    expect(new HeadReader().read(Buffer.concat([Buffer.from('a'), exact])).state).to.equal('too long');
    expect(new HeadReader().read(Buffer.alloc(16_383, 'a')).state).to.equal('more');
    expect(new HeadReader().read(Buffer.alloc(16_384, 'a')).state).to.equal('too long');
    const slow = new HeadReader();
    for (let i = 0; i < 16_383; i++) expect(slow.read(Buffer.from('a')).state).to.equal('more');
    expect(slow.read(Buffer.from('a')).state).to.equal('too long');
  });

  it('keeps the head when the memory that it came in is used again', () => {
    const reader = new HeadReader();
    const memory = Buffer.from('x\r\n\r\n');
    reader.read(memory);
    memory.fill(0);
    expect(reader.head.toString()).to.equal('x\r\n\r\n');
  });
});
