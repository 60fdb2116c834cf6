import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { play, readTranscript } from '../support/transcript.js';

describe('the example send-by-uid', function () {
  this.timeout(150_000);
  let example: Example;
  before(async () => (example = await startExample('send-by-uid.ts', { replacePorts: [1234] })));
  after(cleanUpExamples);

  it('reaches one user, or all, and forgets who has left', async () => {
    await play(readTranscript('send-by-uid'), { port: example.port(1234) });
  });

  it('keeps the newer of two connections of one user, takes a name that every object has for a name', async () => {
    const peer = 'websocket://%port%';
    await play(
      {
        peers: { old: peer, young: peer, other: peer },
        steps: [
          ['old', '>', 'bob'],
          ['old', '<', 'login success, your uid is bob'],
          ['young', '>', 'bob'],
          ['young', '<', 'login success, your uid is bob'],
          ['old', 'close'],
          ['other', '>', '__proto__'],
          ['other', '<', 'login success, your uid is __proto__'],
          ['other', '>', 'bob:hi'],
          ['young', '<', 'hi'],
          ['young', '>', 'constructor:hi'],
          ['young', '>', '__proto__:hello'],
          ['other', '<', 'hello'],
        ],
      },
      { port: example.port(1234) },
    );
    await example.stop();
  });
});
