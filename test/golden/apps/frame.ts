import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`frame://${address}`);
worker.onMessage = (connection, data) => {
  switch (data.toString('latin1')) {
    case 'quit':
      connection.close('bye');
      break;
    case 'two':
      connection.send('one');
      connection.send('two');
      break;
    default:
      connection.send(data);
  }
};

Worker.runAll();
