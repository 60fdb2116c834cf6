import { expect } from 'chai';
import { VisitedPlace, visits } from '../../../support/visits.js';
import { catchReports, until } from '../../connection/peers.js';
import { make, portOf, withWorkers } from '../../lib/madeWorkers.js';

describe('clients that leave at any byte', function () {
  this.timeout(60_000);
  const reports = catchReports();
  withWorkers();
  let place: VisitedPlace;
  before(() => (place = new VisitedPlace()));
  after(() => place.close());

  for (const streamBodies of [false, true]) {
    it(`leave nothing behind${streamBodies ? ' with streamed bodies' : ''}`, async () => {
      const worker = make('http://127.0.0.1:0');
      place.serveWith(worker, streamBodies);
      await worker.listen();
      const allGone = (): Promise<void> => until(() => worker.connections.size === 0 && place.pending === 0);
      // What is opened once and kept, is opened now.
      await visits(portOf(worker), 30, 10, 1000);
      await allGone();
      const before = await place.kept();
      await visits(portOf(worker), 400, 20, 1);
      await allGone();
      await until(() => place.holdings().descriptors <= before.descriptors && place.holdings().timers <= before.timers);
      expect({ ...await place.kept(), descriptors: before.descriptors }).to.deep.equal(before);
      expect(place.handled).to.be.above(150);
      expect(reports.failures).to.deep.equal([]);
    });
  }
});
