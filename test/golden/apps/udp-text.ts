import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`text://${address}`);
worker.transport = 'udp';
worker.onMessage = (connection, line) => {
  connection.send(`got:${line}`);
};

Worker.runAll();
