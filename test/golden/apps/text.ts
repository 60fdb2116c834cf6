import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`text://${address}`);
worker.onMessage = (connection, line) => {
  switch (line) {
    case 'quit':
      connection.close('bye');
      break;
    case 'two':
      connection.send('one');
      connection.send('two');
      break;
    case 'raw':
      connection.send('no newline', true);
      break;
    case 'empty':
      connection.send('');
      break;
    default:
      connection.send(`got:${line}`);
  }
};

Worker.runAll();
