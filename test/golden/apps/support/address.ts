import { Worker } from 'workerman-ts';

/**
 * What every program here has in common: the test tells it by the environment where to listen, and its files lie in the
 * folder in which it was started.
 */
Worker.pidFile = `${process.cwd()}/golden.pid`;
Worker.logFile = `${process.cwd()}/workerman.log`;

/** `127.0.0.1:PORT`, or the path of a unix socket. */
export const address: string = process.env['GOLDEN_ADDRESS'] ?? '127.0.0.1:8080';
