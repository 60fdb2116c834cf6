import { readFileSync } from 'node:fs';
import { Response, Worker } from 'workerman-ts';
import { signallingAddress } from './config.js';

/** Serves the two pages. */
const worker = new Worker('http://0.0.0.0:8878');
worker.name = 'web';
worker.count = 2;

const read = (name: string): string => readFileSync(new URL(`./pages/${name}`, import.meta.url), 'utf8');

const pages = new Map([
  ['/', read('index.html')],
  ['/room.html', read('room.html').replace('{{signallingAddress}}', signallingAddress)],
]);

worker.onMessage = (connection, request) => {
  const page = pages.get(request.path());
  connection.send(page ?? new Response(404, {}, '<h1>404 Not Found</h1>'));
};
