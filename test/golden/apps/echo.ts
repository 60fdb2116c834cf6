import { Worker } from 'workerman-ts';
import { address } from './support/address.js';
import { describeRequest } from './support/describeRequest.js';

const worker = new Worker(`http://${address}`);
worker.onMessage = (connection, request) => {
  connection.send(describeRequest(request));
};

Worker.runAll();
