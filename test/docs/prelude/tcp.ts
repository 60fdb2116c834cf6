// What fragments of workers that speak bytes in the pages take for granted.
import type { ConnectionOf, Loose, Worker } from 'workerman-ts';

export declare const worker: Worker<Loose, Loose, 'tcp:'>;
export declare const connection: ConnectionOf<'tcp:', Loose>;
