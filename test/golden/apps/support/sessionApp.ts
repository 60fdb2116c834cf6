import { FileSessionHandler, Response, Session, Worker } from 'workerman-ts';
import type { Request } from 'workerman-ts';
import { address } from './address.js';
import { asMap, json } from './json.js';

/** The programs `session`, `session-params` and `session-min`, which differ in how the cookie is set up. */

type Operation = [name: string, a?: unknown, b?: unknown];

/** Does one operation on the session of a request and gives what it answers. */
async function perform(request: Request, [name, a, b]: Operation): Promise<unknown> {
  const session = await request.session();
  const key = a as string;
  switch (name) {
    case 'get':
      return b === undefined ? (session.get(key) ?? null) : session.get(key, b);
    case 'pull':
      return b === undefined ? (session.pull(key) ?? null) : session.pull(key, b);
    case 'has':
      return session.has(key);
    case 'exists':
      return session.exists(key);
    case 'all':
      return asMap(session.all());
    case 'refresh':
      return session.refresh();
    case 'regenerate': {
      const old = request.sessionId();
      const id = await request.sessionRegenerateId(Boolean(a));
      return old !== id && request.sessionId() === id;
    }
    case 'set':
      session.set(key, b);
      return null;
    case 'delete':
      session.delete(key);
      return null;
    case 'flush':
      session.flush();
      return null;
    case 'save':
      await session.save();
      return null;
    case 'put':
      if (typeof a === 'string') session.put(a, b);
      else session.put(a as Record<string, unknown>);
      return null;
    case 'forget':
      session.forget(a as string | string[]);
      return null;
    default:
      return 'unknown op';
  }
}

const answer = (value: unknown): Response => new Response(200, { 'Content-Type': 'application/json' }, json(value));

async function answerTo(request: Request): Promise<Response | string> {
  switch (request.path()) {
    case '/plain':
      return 'no session';
    case '/touch':
      await request.session();
      return 'touched';
    case '/id': {
      const id = request.sessionId();
      return answer({
        valid: /^[a-zA-Z0-9,-]{16,256}$/.test(id),
        same: id === request.sessionId(),
        session: id === (await request.session()).getId(),
      });
    }
    case '/run': {
      const results: unknown[] = [];
      const operations = JSON.parse(request.rawBody()) as Operation[];
      for (const operation of operations) results.push(await perform(request, operation));
      return answer(results);
    }
    default:
      return new Response(404, {}, 'no route');
  }
}

/** Starts one of them. `configure` sets the cookie up in the worker process. */
export function serveSessions(configure: () => void): void {
  const worker = new Worker(`http://${address}`);
  worker.onWorkerStart = () => {
    Session.handlerClass(FileSessionHandler, { save_path: `${process.cwd()}/sessions` });
    configure();
  };
  worker.onMessage = async (connection, request) => {
    connection.send(await answerTo(request));
  };
  Worker.runAll();
}
