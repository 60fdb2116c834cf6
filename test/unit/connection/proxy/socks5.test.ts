import { expect } from 'chai';
import fc from 'fast-check';
import { Socks5Dialogue } from '../../../../connection/proxy/socks5.js';
import { cutAt, deliveries } from '../../../support/feed.js';
import { converse, type Outcome } from './converse.js';

const NOBODY = { username: '', password: '' };
const USER = { username: 'user', password: 'päss' };

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const REQUEST = '05010003 06' + Buffer.from('target').toString('hex') + '01bb';
const LOGIN = '01 04' + Buffer.from('user').toString('hex') + '05' + Buffer.from('päss').toString('hex');

interface Case {
  what: string;
  login?: typeof NOBODY;
  answer: string;
  state: Outcome['state'];
  said?: string;
  rest?: string;
  reason?: string;
  interrupted?: string;
}

const METHOD = 'SOCKS5 authentication method negotiation failed';
const AUTHENTICATION = 'SOCKS5 authentication failed';

const CASES: Case[] = [
  { what: 'waits for the method', answer: '', state: 'open', said: '050100', interrupted: METHOD },
  { what: 'waits for the rest of the method', answer: '05', state: 'open', said: '050100', interrupted: METHOD },
  { what: 'asks for the target by name', answer: '0500', state: 'open', said: '050100' + REQUEST, interrupted: 'SOCKS5 connect failed' },
  { what: 'connects (IPv4 in the reply)', answer: '0500 05000001 7f000001 0050', state: 'connected', said: '050100' + REQUEST },
  { what: 'connects (IPv6 in the reply)', answer: '0500 05000004 00000000000000000000000000000001 0050', state: 'connected' },
  { what: 'connects (name in the reply)', answer: '0500 05000003 07 302e302e302e30 4850', state: 'connected' },
  { what: 'connects (empty name in the reply)', answer: '0500 05000003 00 4850', state: 'connected' },
  { what: 'keeps what the target says at once', answer: '0500 05000001 00000000 0000 48656c6c6f', state: 'connected', rest: '48656c6c6f' },
  { what: 'offers a login, and need not give it', login: USER, answer: '0500', state: 'open', said: '05020002' + REQUEST },
  { what: 'gives its login', login: USER, answer: '0502', state: 'open', said: '05020002' + LOGIN, interrupted: AUTHENTICATION },
  { what: 'connects after the login', login: USER, answer: '0502 0100 05000001 00000000 0000', state: 'connected', said: '05020002' + LOGIN + REQUEST },
  { what: 'gives a login without a password', login: { username: 'a', password: '' }, answer: '0502', state: 'open', said: '05020002 01 01 61 00' },
  { what: 'fails when no method will do', answer: '05ff', state: 'failed', reason: METHOD },
  { what: 'fails when a login is wanted that it has not offered', answer: '0502', state: 'failed', reason: METHOD },
  { what: 'fails when another method is chosen', login: USER, answer: '0501', state: 'failed', reason: METHOD },
  { what: 'fails when it is not a SOCKS5 proxy', answer: '0400', state: 'failed', reason: METHOD },
  { what: 'fails when the login is wrong', login: USER, answer: '0502 0101', state: 'failed', reason: AUTHENTICATION },
  { what: 'fails when the answer to the login is none', login: USER, answer: '0502 0500', state: 'failed', reason: AUTHENTICATION },
  { what: 'fails with the code of the reply', answer: '0500 05050001 00000000 0000', state: 'failed', reason: 'SOCKS5 connect failed: 5' },
  { what: 'fails with the code of a reply that is cut short', answer: '0500 0508', state: 'failed', reason: 'SOCKS5 connect failed: 8' },
  { what: 'fails when the reply is none', answer: '0500 48', state: 'failed', reason: 'SOCKS5 connect failed' },
  { what: 'fails when the reply has an address of no known type', answer: '0500 05000002 00', state: 'failed', reason: 'SOCKS5 connect failed' },
];

describe('a conversation with a SOCKS5 proxy', () => {
  for (const { what, login = NOBODY, answer, state, said, rest = '', reason = '', interrupted } of CASES) {
    it(what, () => {
      for (const { name, pieces } of deliveries(hex(answer))) {
        const dialogue = new Socks5Dialogue('target', 443, login);
        const outcome = converse(dialogue, pieces);
        expect([outcome.state, outcome.rest, outcome.reason], name).to.deep.equal([state, rest, reason]);
        if (said !== undefined) expect(outcome.said, name).to.equal(said.replaceAll(' ', ''));
        if (interrupted !== undefined) expect(dialogue.interrupted(), name).to.equal(interrupted);
      }
    });
  }

  it('sends an IPv6 address without brackets', () => {
    const { said } = converse(new Socks5Dialogue('[::1]', 80, NOBODY), [hex('0500')]);
    expect(said).to.equal('050100' + '0501000303' + Buffer.from('::1').toString('hex') + '0050');
  });

  it('fails before its first word when something does not fit into 255 bytes', () => {
    const long = 'x'.repeat(256);
    expect(converse(new Socks5Dialogue(long, 80, NOBODY), []).reason).to.match(/^SOCKS5 connect failed/);
    expect(converse(new Socks5Dialogue('h', 80, { username: long, password: '' }), []).reason).to.equal(AUTHENTICATION);
    expect(converse(new Socks5Dialogue('h', 80, { username: '', password: 'ä'.repeat(128) }), []).reason).to.equal(AUTHENTICATION);
    expect(converse(new Socks5Dialogue('x'.repeat(255), 80, NOBODY), []).state).to.equal('open');
  });

  it('comes to the same end however the bytes are cut', () => {
    const word = fc.constantFrom('0500', '0502', '0100', '0101', '05ff', '0500000100000000', '05000003', '05000004', '0000', '05', '00', 'ab');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.array(fc.nat(60)), fc.boolean(), (words, cuts, login) => {
        const bytes = hex(words.join(''));
        const make = (): Socks5Dialogue => new Socks5Dialogue('target', 443, login ? USER : NOBODY);
        const [cut, whole] = [converse(make(), cutAt(bytes, cuts)), converse(make(), [bytes])];
        // A failure may come before anything more has been said.
        if (whole.state === 'failed') cut.said = whole.said;
        expect(cut).to.deep.equal(whole);
      }),
    );
  });

  it('never throws and never asks for more than a reply can have', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const outcome = converse(new Socks5Dialogue('target', 443, USER), [Buffer.concat([hex('0500'), bytes])]);
        if (outcome.state === 'open') expect(bytes.length).to.be.below(262);
      }),
    );
  });
});
