// What fragments of HTTP workers in the pages take for granted.
import type { ConnectionOf, Loose, Request, Worker } from 'workerman-ts';

export declare const worker: Worker<Loose, Loose, 'http:'>;
export declare const connection: ConnectionOf<'http:', Loose>;
export declare const request: Request;
/** Something that is asked and answers later: a database, another service. */
export declare const database: {
  query(sql: string, ...values: unknown[]): Promise<Record<string, string>[]>;
  stream(sql: string): AsyncIterable<Record<string, string>>;
};
