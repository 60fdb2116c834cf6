import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { ERROR_CODES, WorkermanError } from '../../errors.js';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

describe('The table of errors', () => {
  it('names the same codes in the code and in docs/errors.md', () => {
    const documented = [...page.matchAll(/^\| `(WM_[A-Z_]+)` \|/gm)].map((match) => match[1]);
    expect(documented).to.have.members(Object.keys(ERROR_CODES));
  });

  it('makes errors that carry their code and say what they are', () => {
    const error = new WorkermanError('WM_BAD_ADDRESS', 'no such thing', { cause: 'reason' });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({ name: 'WorkermanError', code: 'WM_BAD_ADDRESS', message: 'no such thing', cause: 'reason' });
  });
});
