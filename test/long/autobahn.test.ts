import { defineSuite } from '../autobahn/suite.js';

defineSuite({ largest: 16 * 1024 * 1024, roundTrips: 1000, packed: 200, largestPacked: 131_072 }, 600);
