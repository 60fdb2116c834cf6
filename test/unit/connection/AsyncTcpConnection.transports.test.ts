import { authority, localhost } from '../../support/certificates.js';
import { connectionSuite } from './suite.js';
import { portOf, socketPath } from './workers.js';

connectionSuite('tcp', {
  name: () => 'tcp://127.0.0.1:0',
  address: (worker) => `tcp://127.0.0.1:${portOf(worker)}`,
  taken: true,
});

connectionSuite('ssl', {
  name: () => 'ssl://127.0.0.1:0',
  serverContext: () => ({ ssl: { local_cert: localhost().cert, local_pk: localhost().key } }),
  address: (worker) => `ssl://127.0.0.1:${portOf(worker)}`,
  clientContext: () => ({ ssl: { cafile: authority().cert } }),
  taken: null,
});

connectionSuite('unix', {
  name: () => `unix://${socketPath()}`,
  address: (worker) => worker.getSocketName(),
  taken: true,
});
