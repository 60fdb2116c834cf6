import { expect } from 'chai';
import fc from 'fast-check';
import { parseJson } from '../../../../../protocols/http/parse/json.js';

const parse = (body: string | Uint8Array): unknown => parseJson(Buffer.from(body as string));

describe('parseJson', () => {
  it('leaves objects and arrays what they are', () => {
    expect(JSON.stringify(parse('{"b":[1,{"a":null}],"0":"x"}'))).to.equal('{"0":"x","b":[1,{"a":null}]}');
    expect(parse(' [1, "x", []] ')).to.deep.equal([1, 'x', []]);
    expect(parse('[]')).to.deep.equal([]);
  });

  it('makes a list of one out of a scalar', () => {
    expect(parse('5')).to.deep.equal([5]);
    expect(parse('"x"')).to.deep.equal(['x']);
    expect(parse('""')).to.deep.equal(['']);
    expect(parse('true')).to.deep.equal([true]);
    expect(parse('false')).to.deep.equal([false]);
    expect(parse('0')).to.deep.equal([0]);
  });

  it('gives an empty object for null and for what is no JSON', () => {
    const bad = [
      'null',
      '',
      ' ',
      '{',
      '{a:1}',
      "{'a':1}",
      '[1,]',
      '01',
      'NaN',
      'nulll',
      '{"a":1}x',
      '"\t"',
      '\ufeff{"a":1}',
      '"a',
      '"\\',
    ];
    for (const body of bad) {
      const result = parse(body);
      expect(JSON.stringify(result), body).to.equal('{}');
      expect(Object.getPrototypeOf(result)).to.equal(null);
    }
  });

  it('refuses invalid UTF-8 and halves of surrogate pairs', () => {
    expect(JSON.stringify(parse(Buffer.from('{"a":"\xff"}', 'latin1')))).to.equal('{}');
    expect(JSON.stringify(parse(Buffer.from('"\xed\xa0\x80"', 'latin1')))).to.equal('{}');
    for (const body of ['"\\ud800"', '["\\uDC00"]', '{"a":{"b":"x\\ud83dx"}}', '{"\\ud800":1}', '"\\udc00\\ud800"']) {
      expect(JSON.stringify(parse(body)), body).to.equal('{}');
    }
    expect(parse('"\\ud83d\\uDE00"')).to.deep.equal(['😀']);
    expect(parse('["\\\\ud800", "\\uD7FF\\ue000"]')).to.deep.equal(['\\ud800', '\ud7ff\ue000']);
  });

  it('follows 512 levels and no more', () => {
    const nested = (levels: number, open: string, close: string): string =>
      open.repeat(levels) + '1' + close.repeat(levels);
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"a":', '}]'],
    ] as const) {
      const perRound = open.startsWith('[{') ? 2 : 1;
      expect(JSON.stringify(parse(nested(512 / perRound, open, close)))).to.equal(nested(512 / perRound, open, close));
      expect(JSON.stringify(parse(`[${nested(512 / perRound, open, close)}]`))).to.equal('{}');
    }
    expect(JSON.stringify(parse('['.repeat(1e6)))).to.equal('{}');
  });

  it('counts no brackets in strings', () => {
    const text = `\\"${'['.repeat(600)}\\\\`;
    expect(parse(`["${text}", "\\\\", "${'{'.repeat(600)}"]`)).to.have.length(3);
    expect(parse(`[${'[],'.repeat(600)}1]`)).to.have.length(601);
  });

  it('gives objects without a prototype on every level, and __proto__ no meaning', () => {
    const result = parse('{"__proto__":{"x":1},"a":[{"constructor":{}}]}') as Record<string, unknown>;
    expect(Object.getPrototypeOf(result)).to.equal(null);
    expect(Object.hasOwn(result, '__proto__')).to.equal(true);
    expect(Object.getPrototypeOf(result.__proto__)).to.equal(null);
    const inner = (result.a as Record<string, object>[])[0]!;
    expect(Object.getPrototypeOf(inner)).to.equal(null);
    expect(Object.getPrototypeOf(inner.constructor)).to.equal(null);
    expect(({} as Record<string, unknown>).x).to.equal(undefined);
  });

  it('reads what JSON.stringify wrote', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        const expected: unknown = JSON.parse(text);
        const list = typeof expected === 'object' ? (expected ?? {}) : [expected];
        expect(JSON.stringify(parse(text))).to.equal(JSON.stringify(list));
      }),
    );
  });

  it('never throws', () => {
    const noise = fc.array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', 'null', '\\ud800', 'é'), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          noise.map((list) => Buffer.from(list.join(''))),
        ),
        (bytes) => {
          expect(typeof parse(bytes)).to.equal('object');
        },
      ),
    );
  });
});
