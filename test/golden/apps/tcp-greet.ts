import { Worker } from 'workerman-ts';
import { address } from './support/address.js';

const worker = new Worker(`tcp://${address}`);
worker.onConnect = (connection) => {
  connection.send('220 ready\r\n');
};
worker.onMessage = (connection, data) => {
  if (data.toString('latin1').trim() === 'QUIT') connection.close('221 bye\r\n');
  else connection.send(`250 ${data.length} bytes\r\n`);
};

Worker.runAll();
