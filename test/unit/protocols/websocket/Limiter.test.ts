import { expect } from 'chai';
import { Limiter } from '../../../../protocols/websocket/Limiter.js';

describe('Limiter', () => {
  it('runs so many jobs at a time, in the order in which they came', () => {
    const limiter = new Limiter(2);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    for (let i = 0; i < 5; i++) {
      limiter.run((done) => {
        started.push(i);
        ends[i] = done;
      });
    }
    expect(started).to.deep.equal([0, 1]);
    ends[1]!();
    expect(started).to.deep.equal([0, 1, 2]);
    ends[1]!();
    expect(started, 'a job ends once').to.deep.equal([0, 1, 2]);
    ends[0]!();
    ends[2]!();
    expect(started).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('runs very many jobs that end at once', () => {
    const limiter = new Limiter(1);
    let hold: () => void = () => {};
    limiter.run((done) => {
      hold = done;
    });
    let ran = 0;
    for (let i = 0; i < 5000; i++) {
      limiter.run((done) => {
        expect(i).to.equal(ran++);
        done();
      });
    }
    hold();
    expect(ran).to.equal(5000);
  });
});
