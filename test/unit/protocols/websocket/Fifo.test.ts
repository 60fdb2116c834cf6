import { expect } from 'chai';
import fc from 'fast-check';
import { Fifo } from '../../../../protocols/websocket/Fifo.js';

describe('Fifo', () => {
  it('gives out what was put in, in that order', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(), fc.constantFrom('take', 'clear'))), (steps) => {
        const fifo = new Fifo<number>();
        let model: number[] = [];
        for (const step of steps) {
          if (step === 'take') {
            expect(fifo.shift()).to.equal(model.shift());
          } else if (step === 'clear') {
            fifo.clear();
            model = [];
          } else {
            fifo.push(step as number);
            model.push(step as number);
          }
          expect(fifo.length).to.equal(model.length);
        }
      }),
    );
  });

  it('holds very many', () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 300_000; i++) fifo.push(i);
    for (let i = 0; i < 300_000; i++) if (fifo.shift() !== i) expect.fail(`${i}`);
    expect(fifo.shift()).to.equal(undefined);
  });
});
