import { inspect } from 'node:util';
import { expect } from 'chai';
import { beginRecord, endRecord } from '../../../../../protocols/http/parse/record.js';

describe('a record', () => {
  it('is shown like any other object without a prototype, and nothing of how it was made', () => {
    const record = beginRecord<string>();
    record['a'] = '1';
    expect(inspect(endRecord(record))).to.equal(inspect(Object.assign(Object.create(null), { a: '1' })));
  });
});
