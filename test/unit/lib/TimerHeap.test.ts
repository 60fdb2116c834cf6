import { expect } from 'chai';
import fc from 'fast-check';
import { TimerHeap, type TimerEntry } from '../../../lib/TimerHeap.js';

const entry = (id: number, due: number): TimerEntry => ({ id, due, interval: null, func: () => {}, args: [] });
const ids = (heap: TimerHeap): number[] => {
  const out: number[] = [];
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) out.push(top.id);
  return out;
};

describe('TimerHeap', () => {
  it('gives what is due first, and of what is due together what was made first', () => {
    const heap = new TimerHeap();
    for (const [id, due] of [[3, 5], [1, 5], [4, 1], [2, 5], [5, 9]] as const) heap.push(entry(id, due));
    expect(heap.size).to.equal(5);
    expect(heap.next?.id).to.equal(4);
    expect(ids(heap)).to.deep.equal([4, 1, 2, 3, 5]);
  });

  it('gives nothing when it is empty', () => {
    const heap = new TimerHeap();
    expect(heap.next).to.equal(undefined);
    expect(heap.pop()).to.equal(undefined);
    heap.push(entry(1, 1));
    heap.clear();
    expect(heap.pop()).to.equal(undefined);
    expect(heap.size).to.equal(0);
  });

  it('behaves like a sorted list', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.nat(9).map((due) => ({ kind: 'push' as const, due })) },
      { weight: 2, arbitrary: fc.constant({ kind: 'pop' as const, due: 0 }) },
      { weight: 1, arbitrary: fc.nat(3).map((due) => ({ kind: 'retain' as const, due })) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const heap = new TimerHeap();
        let model: TimerEntry[] = [];
        let id = 0;
        for (const { kind, due } of steps) {
          if (kind === 'push') {
            const made = entry(++id, due);
            heap.push(made);
            model.push(made);
            model.sort((a, b) => a.due - b.due || a.id - b.id);
          } else if (kind === 'pop') expect(heap.pop()).to.equal(model.shift());
          else {
            const wanted = (e: TimerEntry): boolean => e.id % 4 !== due;
            heap.retain(wanted);
            model = model.filter(wanted);
          }
          expect(heap.size).to.equal(model.length);
          expect(heap.next).to.equal(model[0]);
        }
        expect(ids(heap)).to.deep.equal(model.map((e) => e.id));
      }),
    );
  });
});
