import { cleanUpExamples, startExample } from '../support/examples.js';
import { play, readTranscript } from '../support/transcript.js';

describe('the example sse', function () {
  this.timeout(150_000);
  afterEach(cleanUpExamples);

  it('streams events to who asks for them, and answers others', async () => {
    const example = await startExample('sse.ts', {
      replacePorts: [8080],
      edit: (source) => source.replace('Timer.add(2,', 'Timer.add(0.1,'),
    });
    await play(readTranscript('sse'), { port: example.port(8080) });
    await example.stop();
  });
});
