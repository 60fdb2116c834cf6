import type { Compression } from './subjects.js';
import type { Tester } from './Tester.js';

/** One case: a conversation, and what has to come of it. Numbers follow the groups of the Autobahn test suite. */
export interface Case {
  id: string;
  title: string;
  run: (tester: Tester) => Promise<void>;
  compression?: Compression;
}

/** How much of the expensive groups is done. */
export interface Extent {
  /** Longest message of group 9, bytes. */
  largest: number;
  /** Messages sent to and fro in each case of 9.7 and 9.8. */
  roundTrips: number;
  /** Messages in each case of 12 and 13. */
  packed: number;
  /** Longest message of 12 and 13, bytes. */
  largestPacked: number;
}

/** A case in which all is well: the conversation, then the usual close. */
export const good = (id: string, title: string, run: (tester: Tester) => Promise<void>): Case => ({
  id,
  title,
  run: async (tester) => {
    await run(tester);
    await tester.closes();
  },
});

/** Numbers a list of cases from 1 on. */
export const numbered = (group: string, cases: readonly ((id: string) => Case)[]): Case[] =>
  cases.map((make, i) => make(`${group}.${i + 1}`));
