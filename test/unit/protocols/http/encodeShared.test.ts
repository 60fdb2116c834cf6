import { expect } from 'chai';
import fc from 'fast-check';
import { encodeResponse, encodeShared, encodeTyped, PLAIN_CONTEXT, type AnswerContext } from '../../../../protocols/http/encode.js';
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

describe('a response that has nothing but a type', () => {
  it('gives the bytes that any other way gives, whatever it was made of', () => {
    fc.assert(
      fc.property(fc.array(changes), fc.boolean(), (steps, isTyped) => {
        const response = new Response(200, isTyped ? { 'Content-Type': 'text/plain' } : {}, 'hello');
        for (const change of steps) change(response);
        const bytes = encodeTyped(response);
        if (bytes !== null) expect(bytes).to.equal(encodeResponse(response, PLAIN_CONTEXT).bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('is made in one step the first time, and kept from the second time on', () => {
    const response = new Response(200, { 'Content-Type': 'application/json' }, '{"ä":1}');
    const bytes = encodeResponse(response, PLAIN_CONTEXT).bytes;
    expect(encodeTyped(response)).to.equal(bytes);
    expect(encodeTyped(response)).to.equal(null);
  });

  for (const [what, response] of [
    ['a stream of events', new Response(200, { 'Content-Type': 'text/event-stream' }, '')],
    ['another status', new Response(204, { 'Content-Type': 'text/plain' }, '')],
    ['another header', new Response(200, { 'X-A': '1' }, '')],
    ['two headers', new Response(200, { 'Content-Type': 'text/plain', 'X-A': '1' }, '')],
    ['bytes', new Response(200, { 'Content-Type': 'text/plain' }, Buffer.from('a'))],
    ['a stream', new Response(200, { 'Content-Type': 'text/plain' }, (async function* () { yield 'a'; })())],
    ['a reason', new Response(200, { 'Content-Type': 'text/plain' }, '').withStatus(200, 'Fine')],
    ['a version', new Response(200, { 'Content-Type': 'text/plain' }, '').withProtocolVersion('1.0')],
  ] as const) {
    it(`leaves ${what} to the usual way`, () => expect(encodeTyped(response)).to.equal(null));
  }
});
