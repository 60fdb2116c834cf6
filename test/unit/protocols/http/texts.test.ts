import { expect } from 'chai';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import { ServerSentEvents } from '../../../../protocols/http/ServerSentEvents.js';
import { RedisSessionHandler } from '../../../../protocols/http/session/RedisSessionHandler.js';

describe('the text of what HTTP sends and receives', () => {
  it('is for a request the whole message', () => {
    const message = 'POST /ü HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx';
    expect(new Request(message).toString()).to.equal(message);
  });

  it('is for a response what goes to the wire', () => {
    expect(new Response(201, { 'X-A': '1' }, 'ü').toString()).to.equal(
      'HTTP/1.1 201 Created\r\nX-A: 1\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\n' +
        'Content-Length: 2\r\n\r\nü',
    );
  });

  it('is for a chunk its size in bytes and its bytes', () => {
    expect(new Chunk('ü').toString()).to.equal('2\r\nü\r\n');
    expect(new Chunk('').toString()).to.equal('0\r\n\r\n');
  });

  it('is for an event its fields, and an empty line', () => {
    expect(new ServerSentEvents({ data: 'a\nb', id: 0 }).toString()).to.equal('id: 0\ndata: a\ndata: b\n\n');
  });
});

describe('a store of sessions', () => {
  it("has PHP's open and close, which need no connection", () => {
    const store = new RedisSessionHandler({ host: '127.0.0.1', port: 1 });
    expect([store.open('/anywhere', 'PHPSID'), store.close()]).to.deep.equal([true, true]);
  });
});
