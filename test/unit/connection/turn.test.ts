import { expect } from 'chai';
import { ConnectionInterface } from '../../../connection/ConnectionInterface.js';
import { hadItsTurn } from '../../../connection/turn.js';

describe('whose turn it is to be read', () => {
  const { statistics } = ConnectionInterface;
  const { total_request } = statistics;
  // Ids that no connection has: what others have done before does not count.
  beforeEach(() => void hadItsTurn(-1));
  after(() => {
    statistics.total_request = total_request;
    hadItsTurn(-1);
  });

  /** A read of a connection that hands out so many packets. */
  const read = (id: number, packets: number): boolean => {
    statistics.total_request += packets;
    return hadItsTurn(id);
  };

  it('is that of others after 256 packets of one connection, in one read or in several', () => {
    expect([read(-2, 255), read(-2, 1)]).to.deep.equal([false, true]);
    expect([read(-3, 300)]).to.deep.equal([true]);
  });

  it('is its own again from then on', () => {
    expect([read(-2, 300), read(-2, 255), read(-2, 1)]).to.deep.equal([true, false, true]);
  });

  it('is nobody else’s concern: each read of another begins anew', () => {
    for (let i = 0; i < 10; i++) expect([read(-2, 200), read(-3, 200)]).to.deep.equal([false, false]);
  });
});
