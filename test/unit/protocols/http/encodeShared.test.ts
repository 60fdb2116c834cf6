import { expect } from 'chai';
import fc from 'fast-check';
import { encodeResponse, encodeShared, type AnswerContext } from '../../../../protocols/http/encode.js';
import { Response } from '../../../../protocols/http/Response.js';

const contexts: fc.Arbitrary<AnswerContext> = fc.record({
  head: fc.boolean(),
  http10: fc.boolean(),
  close: fc.boolean(),
});

const names = fc.constantFrom('X-A', 'x-a', 'Content-Type', 'Set-Cookie', 'Connection', 'Content-Length');
const values = fc.constantFrom<string | string[]>('1', 'close', 'text/plain', 'text/event-stream', ['a', 'b'], 'bad\n');

/** Everything that changes a response. */
const changes: fc.Arbitrary<(response: Response) => unknown> = fc.oneof(
  fc.tuple(names, values).map(([name, value]) => (r: Response) => r.withHeader(name, value)),
  fc.tuple(names, values).map(([name, value]) => (r: Response) => r.withHeaders({ [name]: value })),
  names.map((name) => (r: Response) => r.withoutHeader(name)),
  fc.constantFrom(200, 204, 304, 404).map((status) => (r: Response) => r.withStatus(status)),
  fc.constantFrom('a', 'ä', '').map((reason) => (r: Response) => r.withStatus(200, reason)),
  fc.constantFrom('one', 'ä', '').map((body) => (r: Response) => r.withBody(body)),
  fc.constantFrom('1.0', '1.1').map((version) => (r: Response) => r.withProtocolVersion(version)),
  fc.constant((r: Response) => r.cookie('c', 'v')),
  fc.constant((r: Response) => r.withBody(Buffer.from('bytes'))),
  fc.constant(() => {}),
);

describe('a response that is sent again', () => {
  it('gives the bytes that it would give if it were sent for the first time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(changes, contexts, fc.boolean())), (steps) => {
        const response = new Response(200, {}, 'hello');
        for (const [change, context, isExtra] of steps) {
          change(response);
          const extra = isExtra ? { 'X-Extra': '1' } : null;
          expect(encodeShared(response, context, extra)).to.deep.equal(encodeResponse(response, context, extra));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is encoded once as long as nobody changes it', () => {
    const response = new Response(200, { 'X-A': '1' }, 'hello');
    const context = { head: false, http10: false, close: false };
    const first = encodeShared(response, context);
    expect(encodeShared(response, context)).to.equal(first);
    response.withHeader('X-A', '2');
    expect(encodeShared(response, context)).to.not.equal(first);
  });

  it('sends bytes as they are at that moment', () => {
    const bytes = Buffer.from('one');
    const response = new Response(200, {}, bytes);
    const context = { head: false, http10: false, close: false };
    expect(String(encodeShared(response, context).bytes)).to.match(/one$/);
    bytes.write('two');
    expect(String(encodeShared(response, context).bytes)).to.match(/two$/);
  });
});
