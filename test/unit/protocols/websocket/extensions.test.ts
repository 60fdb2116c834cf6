import { expect } from 'chai';
import fc from 'fast-check';
import { negotiate, parseExtensions, readAnswer } from '../../../../protocols/websocket/extensions.js';

const parsed = (header: string): NonNullable<ReturnType<typeof parseExtensions>> => {
  const list = parseExtensions(header);
  if (list === null) throw new Error(`does not parse: ${header}`);
  return list;
};

describe('Sec-WebSocket-Extensions', () => {
  it('is a list of names with parameters', () => {
    expect(parsed('foo')).to.deep.equal([{ name: 'foo', params: [] }]);
    expect(parsed('foo; a; b=1 ;c="x-y" , bar;a=2')).to.deep.equal([
      {
        name: 'foo',
        params: [
          ['a', true],
          ['b', '1'],
          ['c', 'x-y'],
        ],
      },
      { name: 'bar', params: [['a', '2']] },
    ]);
    expect(parsed('foo;a;a=1')).to.deep.equal([
      {
        name: 'foo',
        params: [
          ['a', true],
          ['a', '1'],
        ],
      },
    ]);
    expect(parsed('foo; a="1\\5"')).to.deep.equal([{ name: 'foo', params: [['a', '15']] }]);
    expect(parsed(' \tfoo\t ,\tbar ')).to.have.length(2);
  });

  it('may have empty elements, or none at all', () => {
    expect(parsed('')).to.deep.equal([]);
    expect(parsed(' , foo,, ,bar,')).to.have.length(2);
  });

  it('does not parse when anything else is in it', () => {
    for (const header of [
      'foo;',
      'foo;;a',
      ';a',
      'foo;a=',
      'foo;=1',
      'foo bar',
      'foo;a=1 2',
      'foo;a="',
      'foo;a=""',
      'foo;a="x y"',
      'foo;a="x',
      'foo=1',
      'foo;a="x"y',
      'föö',
      'foo;a=(1)',
      'foo/1',
      'foo;a="\\"',
      '@',
    ])
      expect(parseExtensions(header), header).to.equal(null);
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab;=," \t\\1é') }), (header) => {
        const list = parseExtensions(header);
        if (list !== null) for (const { name } of list) expect(name).to.match(/^[ab1]+$/);
      }),
    );
  });

  it('reads back what was written', () => {
    const token = fc.stringMatching(/^[a-z0-9_-]{1,8}$/);
    const value = fc.oneof(fc.constant(true as const), token);
    const extension = fc.record({ name: token, params: fc.array(fc.tuple(token, value), { maxLength: 4 }) });
    fc.assert(
      fc.property(
        fc.array(extension, { maxLength: 4 }),
        fc.constantFrom('', ' '),
        fc.boolean(),
        (list, blank, quoted) => {
          const written = list
            .map(({ name, params }) =>
              [name, ...params.map(([key, v]) => (v === true ? key : `${key}=${quoted ? `"${v}"` : v}`))].join(
                `${blank};${blank}`,
              ),
            )
            .join(`${blank},${blank}`);
          expect(parsed(written)).to.deep.equal(list);
        },
      ),
    );
  });
});

describe('what a server agrees to', () => {
  const answerTo = (header: string): string | null => negotiate(parsed(header))?.header ?? null;

  it('is plain permessage-deflate, whatever the client says of itself', () => {
    for (const offer of [
      'permessage-deflate',
      'permessage-deflate; client_max_window_bits',
      'permessage-deflate; client_max_window_bits=8',
      'permessage-deflate; client_max_window_bits=15',
      'permessage-deflate; client_no_context_takeover',
      'permessage-deflate; client_no_context_takeover; client_max_window_bits="10"',
    ])
      expect(answerTo(offer), offer).to.equal('permessage-deflate');
  });

  it('repeats what the client asks of the server', () => {
    expect(answerTo('permessage-deflate; server_no_context_takeover')).to.equal(
      'permessage-deflate; server_no_context_takeover',
    );
    for (let bits = 9; bits <= 15; bits++) {
      expect(answerTo(`permessage-deflate; server_max_window_bits=${bits}`)).to.equal(
        `permessage-deflate; server_max_window_bits=${bits}`,
      );
      expect(negotiate(parsed(`permessage-deflate; server_max_window_bits=${bits}`))).to.include({ windowBits: bits });
    }
    expect(
      answerTo('permessage-deflate; server_max_window_bits="9"; server_no_context_takeover; client_max_window_bits'),
    ).to.equal('permessage-deflate; server_no_context_takeover; server_max_window_bits=9');
  });

  it('is how it compresses', () => {
    expect(negotiate(parsed('permessage-deflate'))).to.include({
      windowBits: 15,
      resetDeflate: false,
      resetInflate: false,
    });
    expect(negotiate(parsed('permessage-deflate; server_no_context_takeover'))).to.include({
      resetDeflate: true,
      resetInflate: false,
    });
    expect(negotiate(parsed('permessage-deflate; client_no_context_takeover'))).to.include({ resetInflate: false });
  });

  it('is no offer that it can not take', () => {
    for (const params of [
      'unknown',
      'unknown=1',
      'server_no_context_takeover; server_no_context_takeover',
      'server_no_context_takeover=1',
      'client_no_context_takeover=true',
      'client_no_context_takeover; client_no_context_takeover',
      'server_max_window_bits',
      'server_max_window_bits=7',
      'server_max_window_bits=8',
      'server_max_window_bits=16',
      'server_max_window_bits=010',
      'server_max_window_bits=10; server_max_window_bits=10',
      'server_max_window_bits=x',
      'client_max_window_bits=7',
      'client_max_window_bits=16',
      'client_max_window_bits=09',
      'client_max_window_bits; client_max_window_bits',
      'server_max_window_bits=1e1',
      'Server_no_context_takeover',
    ])
      expect(answerTo(`permessage-deflate; ${params}`), params).to.equal(null);
    expect(answerTo('x-webkit-deflate-frame, permessage-bzip2; level=9')).to.equal(null);
    expect(answerTo('')).to.equal(null);
  });

  it('is the first offer that it can take', () => {
    expect(
      answerTo(
        'foo, permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=10, permessage-deflate',
      ),
    ).to.equal('permessage-deflate; server_max_window_bits=10');
    expect(answerTo('permessage-deflate; unknown, permessage-deflate')).to.equal('permessage-deflate');
  });
});

describe('what a client takes for an answer', () => {
  const OFFER = 'permessage-deflate; client_max_window_bits';
  const read = (answer: string, offer = OFFER): ReturnType<typeof readAnswer> =>
    readAnswer(parsed(answer), parsed(offer));

  it('is nothing agreed on', () => {
    expect(read('')).to.equal(null);
    expect(read('', '')).to.equal(null);
  });

  it('is what the server says of both ends', () => {
    expect(read('permessage-deflate')).to.deep.equal({ windowBits: 15, resetDeflate: false, resetInflate: false });
    expect(read('permessage-deflate; server_no_context_takeover')).to.include({
      resetDeflate: false,
      resetInflate: true,
    });
    expect(read('permessage-deflate; client_no_context_takeover')).to.include({
      resetDeflate: true,
      resetInflate: false,
    });
    expect(read('permessage-deflate; server_max_window_bits=8')).to.include({ windowBits: 15 });
    for (let bits = 9; bits <= 15; bits++) {
      expect(read(`permessage-deflate; client_max_window_bits=${bits}`)).to.include({ windowBits: bits });
    }
  });

  it('is not what it has not asked for', () => {
    expect(read('foo')).to.equal(false);
    expect(read('permessage-deflate', '')).to.equal(false);
    expect(read('permessage-deflate', 'foo')).to.equal(false);
    expect(read('foo', 'foo, permessage-deflate')).to.equal(false);
    expect(read('permessage-deflate, permessage-deflate')).to.equal(false);
    expect(read('permessage-deflate; client_max_window_bits=10', 'permessage-deflate')).to.equal(false);
  });

  it('has no parameter that is unknown, repeated or invalid', () => {
    for (const params of [
      'unknown',
      'server_no_context_takeover=1',
      'client_no_context_takeover; client_no_context_takeover',
      'client_max_window_bits',
      'client_max_window_bits=8',
      'client_max_window_bits=16',
      'client_max_window_bits=010',
      'server_max_window_bits',
      'server_max_window_bits=7',
      'server_max_window_bits=16',
    ])
      expect(read(`permessage-deflate; ${params}`), params).to.equal(false);
  });
});
