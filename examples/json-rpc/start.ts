// Remote calls in lines of JSON. Start it with: npx tsx examples/json-rpc/start.ts start
// Try it with: telnet 127.0.0.1 2015, then {"class":"User","method":"getInfoByUid","param_array":[567]}
import { Worker } from 'workerman-ts';
import { JsonNL } from './JsonNL.js';
import { services } from './services/index.js';
import { StatisticClient } from './StatisticClient.js';

// Makes the scheme known; Workerman would find the class by its namespace.
Worker.registerProtocol('JsonNL', JsonNL);

const worker = new Worker('jsonNL://0.0.0.0:2015');
worker.count = 4;
worker.name = 'JsonRpc';

/** Gets one packet for each call: which one, how long it took, how it ended. */
const statistics = new StatisticClient('udp://127.0.0.1:55656');

worker.onMessage = async (connection, data) => {
  const name: unknown = data?.class;
  const method: unknown = data?.method;
  if (typeof name !== 'string' || typeof method !== 'string' || !Array.isArray(data.param_array)) {
    connection.send({ code: 400, msg: 'bad request', data: null });
    return;
  }
  const done = statistics.begin(name, method);

  // A service offers the functions that are its own, and nothing that every object has.
  const service = services.get(name);
  const call: unknown = service !== undefined && Object.hasOwn(service, method) ? service[method] : undefined;
  if (typeof call !== 'function') {
    const msg = `class ${name} or method ${method} not found`;
    done(false, 404, msg);
    connection.send({ code: 404, msg, data: null });
    return;
  }

  try {
    const result: unknown = await call.apply(service, data.param_array);
    done(true, 0, '');
    connection.send({ code: 0, msg: 'ok', data: result ?? null });
  } catch (error) {
    const msg = error instanceof Error ? error.message : String(error);
    done(false, 500, String(error));
    connection.send({ code: 500, msg, data: null });
  }
};

Worker.runAll();
