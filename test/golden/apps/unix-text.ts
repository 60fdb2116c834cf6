import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`text://${address}`);
worker.transport = 'unix';
worker.onMessage = (connection, line) => {
  if (line === 'quit') connection.close('bye');
  else connection.send(`got:${line}`);
};

Worker.runAll();
