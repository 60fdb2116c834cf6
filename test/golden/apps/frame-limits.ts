import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`frame://${address}`);
worker.onConnect = (connection) => {
  connection.maxPackageSize = 64;
};
worker.onMessage = (connection, data) => {
  connection.send(data);
};

Worker.runAll();
