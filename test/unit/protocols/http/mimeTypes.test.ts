import { expect } from 'chai';
import { mimeType } from '../../../../protocols/http/mimeTypes.js';

describe('mimeType', () => {
  it('knows the fixed table', () => {
    const some: Record<string, string> = {
      html: 'text/html', shtml: 'text/html', jad: 'text/vnd.sun.j2me.app-descriptor',
      jpeg: 'image/jpeg', ico: 'image/x-icon',
      js: 'application/javascript', json: 'application/json', wasm: 'application/wasm', eps: 'application/postscript',
      crt: 'application/x-x509-ca-cert', msm: 'application/octet-stream', kar: 'audio/midi', ra: 'audio/x-realaudio',
      '3gp': 'video/3gpp', ts: 'video/mp2t', asf: 'video/x-ms-asf',
      woff: 'font/woff', '7z': 'application/x-7z-compressed',
      xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    };
    for (const [extension, type] of Object.entries(some)) expect(mimeType(extension)).to.equal(type);
  });

  it('gives octet-stream for everything else, other spellings and names of Object.prototype', () => {
    for (const extension of ['', 'HTML', 'gz', 'csv', 'mjs', 'toString', '__proto__', ' txt']) {
      expect(mimeType(extension)).to.equal('application/octet-stream');
    }
  });
});
