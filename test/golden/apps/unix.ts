import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`unix://${address}`);
worker.onMessage = (connection, data) => {
  if (data.toString('latin1') === 'quit') connection.close('bye');
  else connection.send(data);
};

Worker.runAll();
