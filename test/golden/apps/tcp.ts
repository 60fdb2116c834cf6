import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`tcp://${address}`);
worker.onMessage = (connection, data) => {
  switch (data.toString('latin1')) {
    case 'quit':
      connection.close('bye');
      break;
    case 'close':
      connection.close();
      break;
    case 'end':
      connection.end('ended');
      break;
    default:
      connection.send(data);
  }
};

Worker.runAll();
