import { cleanUpExamples, startExample } from '../support/examples.js';
import { waitUntil } from '../support/process.js';
import { play, readTranscript } from '../support/transcript.js';

describe('the examples to get started with', function () {
  this.timeout(150_000);
  afterEach(cleanUpExamples);

  it('http says hello', async () => {
    // All four processes, as it is written.
    const example = await startExample('getting-started/http.ts', { replacePorts: [2345], count: 4 });
    await play(readTranscript('getting-started-http'), { port: example.port(2345) });
    await waitUntil(
      () => example.script.workers().length === 4,
      () => `four processes: ${example.script.describe()}`,
    );
    await example.stop();
  });

  it('websocket says hello', async () => {
    const example = await startExample('getting-started/websocket.ts', { replacePorts: [2000] });
    await play(readTranscript('getting-started-websocket'), { port: example.port(2000) });
    await example.stop();
  });

  it('tcp says hello, and returns bytes unharmed', async () => {
    const example = await startExample('getting-started/tcp.ts', { replacePorts: [2347] });
    await play(readTranscript('getting-started-tcp'), { port: example.port(2347) });
    await example.stop();
  });
});
