import { defineSuite } from './suite.js';

defineSuite({ largest: 1024 * 1024, roundTrips: 10, packed: 2, largestPacked: 65_536 }, 20);
