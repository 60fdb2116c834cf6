import { expect } from 'chai';
import { cleanUpExamples, startExample, type Example } from '../support/examples.js';
import { play, readTranscript } from '../support/transcript.js';

describe('the example webrtc-signalling', function () {
  this.timeout(150_000);
  let example: Example;
  before(async () => (example = await startExample('webrtc-signalling/start.ts', { replacePorts: [8877, 8878] })));
  after(cleanUpExamples);

  it('hands what is published to the other subscribers, and serves its pages', async () => {
    await play(readTranscript('webrtc-signalling'), { port: example.port(8877), web: example.port(8878) });
  });

  it('tells the page where the signalling server is', async () => {
    const page = await fetch(`http://127.0.0.1:${example.port(8878)}/room.html?room=1`);
    expect(await page.text()).to.include(`const signallingAddress = 'ws://127.0.0.1:${example.port(8877)}';`);
    expect((await fetch(`http://127.0.0.1:${example.port(8878)}/start_web.ts`)).status).to.equal(404);
  });

  it('lives on whatever it is told', async () => {
    const peer = 'websocket://%port%';
    const deep = `{"cmd":"publish","subject":"s","event":"e","data":${'['.repeat(9000)}${']'.repeat(9000)}}`;
    await play(
      {
        peers: { A: peer, B: peer },
        steps: [
          ['A', '>', '{"cmd":"subscribe","subject":"s"}'],
          ['B', '>', '{"cmd":"subscribe","subject":"__proto__"}'],
          ...['garbage', 'null', '1', '[]', '{"cmd":"subscribe","subject":{}}', '{"cmd":"fly","subject":"s"}', deep].map(
            (text) => ['B', '>', text] as const,
          ),
          ['B', '>', '{"cmd":"publish","subject":"s"}'],
          ['A', '<', '{"cmd":"publish","event":null,"data":null}'],
          ['A', '>', '{"cmd":"publish","subject":"__proto__","event":1,"data":{"0":"a","1":{"1":"b"}}}'],
          ['B', '<', '{"cmd":"publish","event":1,"data":["a",{"1":"b"}]}'],
        ],
      },
      { port: example.port(8877) },
    );
    await example.stop();
  });
});
