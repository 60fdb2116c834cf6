import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`udp://${address}`);
worker.onMessage = (connection, data) => {
  switch (data.toString('latin1')) {
    case 'two':
      connection.send('one');
      connection.send('two');
      break;
    case 'none':
      break;
    default:
      connection.send(data);
  }
};

Worker.runAll();
