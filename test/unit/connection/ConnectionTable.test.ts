import { expect } from 'chai';
import { addConnection, createConnectionTable, removeConnection } from '../../../connection/ConnectionTable.js';

describe('ConnectionTable', () => {
  it('is an object without a prototype, with nothing but connections to enumerate', () => {
    const table = createConnectionTable<string>();
    addConnection(table, 7, 'seven');
    addConnection(table, 2, 'two');
    expect(Object.getPrototypeOf(table)).to.equal(null);
    expect(Object.keys(table)).to.deep.equal(['2', '7']);
    expect(Object.values(table)).to.deep.equal(['two', 'seven']);
    expect('constructor' in table).to.equal(false);
    const seen: string[] = [];
    for (const id in table) seen.push(id);
    expect(seen).to.deep.equal(['2', '7']);
    expect(JSON.stringify(table)).to.equal('{"2":"two","7":"seven"}');
  });

  it('gives a connection by its id', () => {
    const table = createConnectionTable<string>();
    addConnection(table, 3, 'three');
    expect(table[3]).to.equal('three');
    expect(table[4]).to.equal(undefined);
  });

  it('knows its size and can be gone through', () => {
    const table = createConnectionTable<string>();
    expect(table.size).to.equal(0);
    expect([...table]).to.deep.equal([]);
    addConnection(table, 1, 'one');
    addConnection(table, 2, 'two');
    expect(table.size).to.equal(2);
    expect([...table]).to.deep.equal(['one', 'two']);
  });

  it('counts an id once, also when it is entered or taken out twice', () => {
    const table = createConnectionTable<string>();
    addConnection(table, 1, 'one');
    addConnection(table, 1, 'other');
    expect(table.size).to.equal(1);
    expect(table[1]).to.equal('other');
    removeConnection(table, 1);
    removeConnection(table, 1);
    removeConnection(table, 5);
    expect(table.size).to.equal(0);
    expect(Object.keys(table)).to.deep.equal([]);
  });

  it('may be changed while somebody goes through it', () => {
    const table = createConnectionTable<number>();
    for (let id = 1; id <= 5; id++) addConnection(table, id, id);
    const seen: number[] = [];
    for (const id of table) {
      seen.push(id);
      removeConnection(table, id);
    }
    expect(seen).to.deep.equal([1, 2, 3, 4, 5]);
    expect(table.size).to.equal(0);
  });

  it('keeps tables apart', () => {
    const one = createConnectionTable<string>();
    const other = createConnectionTable<string>();
    addConnection(one, 1, 'one');
    expect(other.size).to.equal(0);
  });
});
