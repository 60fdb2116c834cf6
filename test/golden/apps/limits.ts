import { Request, Worker } from 'workerman-ts';
import { address } from './support/address.js';
import { describeRequest } from './support/describeRequest.js';

const worker = new Worker(`http://${address}`);
worker.onWorkerStart = () => {
  Request.maxFileUploads = 3;
};
worker.onConnect = (connection) => {
  connection.maxPackageSize = 2048;
};
worker.onMessage = (connection, request) => {
  connection.send(describeRequest(request));
};

Worker.runAll();
