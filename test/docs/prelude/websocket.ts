// What fragments of WebSocket workers in the pages take for granted.
import type { ConnectionOf, Loose, Request, Worker } from 'workerman-ts';

export declare const worker: Worker<Loose, Loose, 'websocket:'>;
export declare const connection: ConnectionOf<'websocket:', Loose>;
export declare const request: Request;
