import { expect } from 'chai';
import fc from 'fast-check';
import { HttpProxyDialogue } from '../../../../connection/proxy/http.js';
import { cutAt, deliveries } from '../../../support/feed.js';
import { converse, type Outcome } from './converse.js';

const make = (): HttpProxyDialogue => new HttpProxyDialogue('target', 443, '');
const spoken = (dialogue: HttpProxyDialogue): string => Buffer.from(converse(dialogue, []).said, 'hex').toString();

const CASES: [what: string, answer: string, state: Outcome['state'], more: string][] = [
  ['waits for the status line', 'HTTP/1.1 200 Con', 'open', ''],
  ['waits for the end of the head', 'HTTP/1.1 200 OK\r\nA: b\r\n\r', 'open', ''],
  ['connects', 'HTTP/1.1 200 Connection established\r\n\r\n', 'connected', ''],
  ['connects through an HTTP/1.0 proxy', 'HTTP/1.0 200 OK\r\nVia: x\r\n\r\n', 'connected', ''],
  ['connects without a phrase', 'HTTP/1.1 200\r\n\r\n', 'connected', ''],
  ['keeps what the target says at once', 'HTTP/1.1 200 OK\r\n\r\n\r\n\r\nhello', 'connected', '\r\n\r\nhello'],
  ['fails with code and phrase', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nSorry', 'failed', 'Proxy CONNECT failed: 403 Forbidden'],
  ['fails before the head is complete', 'HTTP/1.1 407 Proxy Authentication Required\r\n', 'failed', 'Proxy CONNECT failed: 407 Proxy Authentication Required'],
  ['fails without a phrase', 'HTTP/1.1 502\r\n\r\n', 'failed', 'Proxy CONNECT failed: 502'],
  ['fails on another success', 'HTTP/1.1 204 No Content\r\n\r\n', 'failed', 'Proxy CONNECT failed: 204 No Content'],
  ['keeps control characters out of the reason', 'HTTP/1.1 500 a\x1b[31mb\r\n\r\n', 'failed', 'Proxy CONNECT failed: 500 a[31mb'],
  ['fails when it is not HTTP', 'SSH-2.0-OpenSSH\r\n', 'failed', 'Proxy CONNECT failed'],
  ['fails on another version', 'HTTP/2 200\r\n\r\n', 'failed', 'Proxy CONNECT failed'],
  ['fails on an empty line', '\r\n', 'failed', 'Proxy CONNECT failed'],
  ['fails on an endless status line', 'x'.repeat(16_385), 'failed', 'Proxy CONNECT failed'],
  ['fails on an endless head', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(3000)}`, 'failed', 'Proxy CONNECT failed'],
];

describe('a conversation with an HTTP proxy', () => {
  for (const [what, answer, state, more] of CASES) {
    it(what, () => {
      // The limit counts bytes that were received, so the long answers are not cut in ones and twos.
      for (const { name, pieces } of deliveries(Buffer.from(answer, 'latin1')).filter(({ pieces }) => pieces.length < 6000)) {
        const outcome = converse(make(), pieces);
        const rest = Buffer.from(outcome.rest, 'hex').toString('latin1');
        expect([outcome.state, state === 'connected' ? rest : outcome.reason], name).to.deep.equal([state, more]);
      }
    });
  }

  it('asks for the target, with an authorization when there is one', () => {
    expect(spoken(make())).to.equal('CONNECT target:443 HTTP/1.1\r\nHost: target:443\r\nProxy-Connection: keep-alive\r\n\r\n');
    expect(spoken(new HttpProxyDialogue('[::1]', 80, 'Basic eA=='))).to.equal(
      'CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\n\r\n',
    );
  });

  it('lets no line end into its request', () => {
    expect(spoken(new HttpProxyDialogue('h', 1, 'a\r\nX-Evil: b\n'))).to.contain('Proxy-Authorization: aX-Evil: b\r\nProxy');
  });

  it('takes a head of exactly 16384 bytes and no longer one', () => {
    const head = (length: number): Buffer => {
      const frame = 'HTTP/1.1 200 OK\r\nA: \r\n\r\n';
      return Buffer.from(frame.replace('A: ', `A: ${'x'.repeat(length - frame.length)}`));
    };
    expect(converse(make(), [head(16_384)]).state).to.equal('connected');
    expect(converse(make(), [Buffer.concat([head(16_384), Buffer.from('rest')])]).rest).to.equal(Buffer.from('rest').toString('hex'));
    expect(converse(make(), [head(16_385)]).state).to.equal('failed');
  });

  it('says what an interruption means', () => {
    expect(make().interrupted()).to.equal('Proxy CONNECT failed');
  });

  it('comes to the same end however the bytes are cut', () => {
    const word = fc.constantFrom('HTTP/1.1 ', '200', '403', ' OK', '\r\n', '\r', '\n', 'A: b', ' ', 'x');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), fc.array(fc.nat(60)), (words, cuts) => {
        const bytes = Buffer.from(words.join(''));
        expect(converse(make(), cutAt(bytes, cuts))).to.deep.equal(converse(make(), [bytes]));
      }),
    );
  });
});
