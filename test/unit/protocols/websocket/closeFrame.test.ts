import { expect } from 'chai';
import { checkClose, closePayload } from '../../../../protocols/websocket/closeFrame.js';
import { closeBody } from '../../../support/websocket.js';

describe('the payload of a Close frame', () => {
  it('may be empty', () => {
    expect(checkClose(Buffer.alloc(0))).to.equal(0);
  });

  it('is wrong with one byte', () => {
    expect(checkClose(Buffer.of(3))).to.equal(1002);
  });

  it('may have the codes of RFC 6455 section 7.4, and no others', () => {
    const allowed = (code: number): boolean =>
      [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].includes(code) ||
      (code >= 3000 && code <= 4999);
    for (let code = 0; code <= 65_535; code++) {
      if (checkClose(closeBody(code)) !== (allowed(code) ? 0 : 1002)) expect.fail(String(code));
    }
  });

  it('has a reason that is UTF-8', () => {
    expect(checkClose(closeBody(1000, 'Tschüß 👋'))).to.equal(0);
    expect(checkClose(closeBody(1000, 'x'.repeat(123)))).to.equal(0);
    expect(checkClose(closeBody(1000, Buffer.of(0xce, 0xba, 0xe1)))).to.equal(1007);
    expect(checkClose(closeBody(1000, Buffer.of(0xff)))).to.equal(1007);
    expect(checkClose(closeBody(999, Buffer.of(0xff)))).to.equal(1002);
  });

  it('is written with the code alone', () => {
    expect(closePayload(1000).toString('hex')).to.equal('03e8');
    expect(closePayload(1009).toString('hex')).to.equal('03f1');
  });
});
