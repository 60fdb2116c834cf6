import { expect } from 'chai';
import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { multipartBoundary, parseMultipart, type Multipart } from '../../../../../protocols/http/parse/multipart.js';

const parse = (body: string | Buffer, boundary = 'B', maxParts = 1024): Multipart =>
  parseMultipart(typeof body === 'string' ? Buffer.from(body) : body, boundary, { maxParts });

/** A part with these headers and content, behind its boundary. */
const part = (headers: string, content: string, boundary = 'B'): string => `--${boundary}\r\n${headers}\r\n\r\n${content}\r\n`;
const field = (name: string, value: string): string => part(`Content-Disposition: form-data; name="${name}"`, value);

/** The fields, and of each file what it is called and what is in it. */
const shown = ({ fields, files }: Multipart): unknown => ({
  fields,
  files: files.map((file) => [file.name, file.filename, file.type, file.content.toString('latin1')]),
});

describe('multipartBoundary', () => {
  const cases: readonly [string, string | null][] = [
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data; boundary="a b:c"', 'a b:c'],
    ['multipart/form-data; boundary=abc; charset=utf-8', 'abc'],
    ['multipart/form-data; charset=utf-8; boundary="abc"', 'abc'],
    ['MULTIPART/MIXED;BOUNDARY=AbC', 'AbC'],
    ['multipart/form-data', null],
    ['multipart/form-data; boundary=', null],
    ['multipart/form-data; boundary=""', null],
    ['text/plain; boundary=abc', null],
    ['application/multipart/x; boundary=abc', null],
    ['', null],
  ];
  for (const [type, boundary] of cases) {
    it(`finds ${boundary} in ${type || 'nothing'}`, () => expect(multipartBoundary(type)).to.equal(boundary));
  }
});

describe('parseMultipart', () => {
  it('does not keep long headers alive for a file name that an application remembers', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heapUsed = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = heapUsed();
    const kept: string[] = [];
    for (let i = 0; i < 4; i++) {
      const headers = `X-Long: ${'x'.repeat(4 << 20)}\r\nContent-Disposition: form-data; name="the name of a field"; `
        + `filename="the name of file ${i}.txt"\r\nContent-Type: application/octet-stream`;
      const { name, filename, fullPath, type } = parse(`${part(headers, 'content')}--B--`).files[0]!;
      kept.push(name, filename, fullPath, type);
    }
    expect(heapUsed() - before).to.be.below(4 << 20);
    expect(kept[13]).to.equal('the name of file 3.txt');
  });

  it('gives fields and files in their order, values as they are', () => {
    const body = field('a', '1+2%20') + field('b[]', '') + field('a', 'ü')
      + part('Content-Disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: text/plain; charset=utf-8', '\0\r\n\x01')
      + '--B--\r\n';
    expect(shown(parse(body))).to.deep.equal({
      fields: [['a', '1+2%20'], ['b[]', ''], ['a', 'ü']],
      files: [['f', 'x.bin', 'text/plain; charset=utf-8', '\0\r\n\x01']],
    });
  });

  it('copies nothing of a file', () => {
    const body = Buffer.from(part('Content-Disposition: form-data; name=f; filename=x', 'content') + '--B--');
    expect(parse(body).files[0]!.content.buffer).to.equal(body.buffer);
  });

  describe('boundaries', () => {
    const one = { fields: [['a', '1']], files: [] };

    it('may follow a preamble and precede an epilogue', () => {
      expect(shown(parse(`a preamble\r\n--Bx\r\n--B in it\r\n${field('a', '1')}--B--\r\n${field('b', '2')}`))).to.deep.equal(one);
    });

    it('may carry white space behind them', () => {
      expect(shown(parse(field('a', '1').replace('--B', '--B \t') + '--B \t--'))).to.deep.equal(one);
    });

    it('are none with anything else behind them, or within a line', () => {
      const content = '--B\r\n--Bx\r\n--B -\r\n--B-\r\nx--B\r\n\n--B\r\n\r--B\r\n-B\r\n--b';
      expect(shown(parse(part('Content-Disposition: form-data; name=a', `x${content}`) + '--B--'))).to.deep.equal({
        fields: [['a', `x${content}`]], files: [],
      });
    });

    it('are not found in the middle of the start of the body', () => {
      expect(shown(parse(`x${field('a', '1')}--B--`))).to.deep.equal({ fields: [], files: [] });
    });

    it('close each part: one that is cut off is left out', () => {
      for (const end of ['', '\r\n', '\r\n--', '\r\n--B', '\r\n--B\r', '\r\n--B-']) {
        const body = field('a', '1') + field('b', '2').slice(0, -2) + end;
        expect(shown(parse(body)), JSON.stringify(end)).to.deep.equal(one);
      }
    });

    it('may follow each other at once', () => {
      expect(shown(parse(`--B\r\n--B\r\n\r\n--B\r\n${field('a', '1')}--B\r\n--B--`))).to.deep.equal(one);
    });

    it('may be of any bytes and length', () => {
      for (const boundary of ['-', '--', "'()+_,-./:=? x", 'ü', 'x'.repeat(10_000)]) {
        const body = `${part('Content-Disposition: form-data; name=a', '1', boundary)}--${boundary}--`;
        expect(shown(parse(body, boundary)), boundary.slice(0, 20)).to.deep.equal(one);
      }
    });
  });

  describe('headers of parts', () => {
    const nameOf = (headers: string): unknown => shown(parse(`${part(headers, 'v')}--B--`));
    const isField = { fields: [['a', 'v']], files: [] };
    const isFile = (filename: string, type = ''): unknown => ({ fields: [], files: [['a', filename, type, 'v']] });

    const cases: readonly [string, unknown][] = [
      ['content-disposition:form-data;name=a', isField],
      ['CONTENT-DISPOSITION \t:\t form-data ; NAME="a"', isField],
      ['X: y: z\r\nContent-Disposition: form-data; name="a"\r\nno colon here\r\n: no name', isField],
      ['Content-Disposition: form-data;\r\n\tname="a";\r\n filename="b"', isFile('b')],
      ['Content-Disposition: form-data; filename="c: d; name=x.txt"; name="a"', isFile('c: d; name=x.txt')],
      ['Content-Disposition: form-data; name="a"; filename=plain name.txt\r\ncontent-type:image/png', isFile('plain name.txt', 'image/png')],
      [String.raw`Content-Disposition: form-data; name="a"; filename="say \"hi\".txt"`, isFile('say "hi".txt')],
      [String.raw`Content-Disposition: form-data; name="a"; filename="C:\dir\x.txt"`, isFile(String.raw`C:\dir\x.txt`)],
      ['Content-Disposition: form-data; name="a"; filename="../../etc/passwd"', isFile('../../etc/passwd')],
      ['Content-Disposition: form-data; name="a"; filename=""', isFile('')],
      ["Content-Disposition: form-data; name=a; filename*=UTF-8''%C3%BC.txt", isFile('ü.txt')],
      ["Content-Disposition: form-data; name=a; filename*=UTF-8''no; filename=yes", isFile('yes')],
      ['Content-Disposition: attachment; name="a"', isField],
      ['Content-Disposition: form-data', { fields: [], files: [] }],
      ['Content-Disposition: form-data; name=""', { fields: [], files: [] }],
      ['Content-Disposition: form-data; filename="b"', { fields: [], files: [] }],
      ['Content-Type: text/plain', { fields: [], files: [] }],
    ];
    for (const [headers, expected] of cases) {
      it(`read ${JSON.stringify(headers)}`, () => expect(nameOf(headers)).to.deep.equal(expected));
    }

    it('may be missing, and so may the content', () => {
      const bare = '--B\r\n\r\nno headers\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\n--B\r\nno colon\r\n--B--';
      expect(shown(parse(bare))).to.deep.equal({ fields: [['a', '']], files: [] });
    });

    it('carry the path of a file within the folder that was chosen', () => {
      const headers = 'Content-Disposition: form-data; name=a; filename=f.txt\r\nWebkitRelativePath: dir/f.txt';
      expect(parse(`${part(headers, '')}--B--`).files[0]).to.include({ filename: 'f.txt', fullPath: 'dir/f.txt' });
    });

    it('are read as UTF-8', () => {
      const body = Buffer.concat([Buffer.from('--B\r\nContent-Disposition: form-data; name="ä\xff"; filename="'), Buffer.from([0xff]), Buffer.from('"\r\n\r\n\r\n--B--')]);
      expect(shown(parse(body))).to.deep.equal({ fields: [], files: [['äÿ', '\ufffd', '', '']] });
    });
  });

  describe('limits', () => {
    it('reads so many parts, of whatever kind, and no more', () => {
      const nameless = part('X: y', '');
      const body = `${field('a', '1')}${nameless}${field('b', '2')}${field('c', '3')}--B--`;
      expect(parse(body, 'B', 3).fields).to.deep.equal([['a', '1'], ['b', '2']]);
      expect(parse(body, 'B', 0).fields).to.deep.equal([]);
    });

    it('takes ten thousand parts', () => {
      const body = Array.from({ length: 10_000 }, (_, i) => field(`n${i}`, String(i))).join('');
      const { fields } = parse(`${body}--B--`, 'B', 20_000);
      expect(fields).to.have.length(10_000);
      expect(fields[9999]).to.deep.equal(['n9999', '9999']);
    });

    // With time that grows with the square of the body, each of these would take hours.
    const TEN_MEGABYTES = 10_000_000;
    const hostile: Record<string, [piece: string, boundary: string]> = {
      'of nothing but the start of a boundary': ['\r\n--', 'B'],
      'that matches a short boundary in all but the last byte': [`\r\n--${'b'.repeat(69)}x`, 'b'.repeat(70)],
      'that matches a long boundary in all but the last byte': [`\r\n--${'b'.repeat(15_999)}x`, 'b'.repeat(16_000)],
      'of the one byte that the boundary is made of': ['b', 'b'.repeat(16_000)],
      'of white space behind the boundary': ['\r\n--B \t \tx', 'B'],
      'of line ends': ['\r\n', 'B'],
    };
    for (const [what, [piece, boundary]] of Object.entries(hostile)) {
      it(`reads a file ${what}`, () => {
        const content = Buffer.alloc(TEN_MEGABYTES, piece).toString('latin1');
        const file = part('Content-Disposition: form-data; name=f; filename=x', content, boundary);
        expect(parse(Buffer.from(`${file}--${boundary}--`, 'latin1'), boundary).files[0]!.content).to.have.length(TEN_MEGABYTES);
      });
    }

    it('reads a part that is nothing but headers, and one that is nothing but boundaries', () => {
      for (const piece of [';', ' ;a="', '\r\n ', '\r\na:b', '\\"']) {
        const headers = `Content-Disposition: form-data; name=a${Buffer.alloc(2_000_000, piece).toString()}`;
        expect(parse(`--B\r\n${headers}\r\n\r\n\r\n--B--`).fields).to.have.length(1);
      }
      expect(parse(Buffer.alloc(TEN_MEGABYTES, '\r\n--B'), 'B', Infinity).fields).to.deep.equal([]);
    });
  });

  describe('for whatever comes (property)', () => {
    const boundaries = fc.string({ unit: fc.constantFrom('-', 'B', 'b', ' ', '='), minLength: 1, maxLength: 8 })
      .map((text) => `${text}x`);

    it('gives back the parts that were put together', () => {
      const contents = fc.oneof(
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
        fc.string({ unit: fc.constantFrom('\r', '\n', '-', 'B', 'x', ' '), maxLength: 40 }),
      );
      const parts = fc.array(fc.record({
        name: fc.stringMatching(/^[a-z[\]]{1,6}$/),
        filename: fc.option(fc.stringMatching(/^[ -~]{0,8}$/)),
        content: contents,
      }), { maxLength: 6 });
      fc.assert(fc.property(boundaries, parts, contents, (boundary, list, preamble) => {
        fc.pre(![preamble, ...list.map((one) => one.content)].some((text) => `\r\n${text}\r\n`.includes(`\r\n--${boundary}`)));
        const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
        const body = list.map(({ name, filename, content }) =>
          part(`Content-Disposition: form-data; name=${quote(name)}${filename === null ? '' : `; filename=${quote(filename)}`}`, content, boundary));
        const bytes = Buffer.from(`${preamble}\r\n${body.join('')}--${boundary}--\r\n`, 'latin1');
        const { fields, files } = parse(bytes, boundary);
        expect(fields).to.deep.equal(list.filter((one) => one.filename === null)
          .map(({ name, content }) => [name, Buffer.from(content, 'latin1').toString()]));
        expect(files.map(({ name, filename, content }) => ({ name, filename, content: content.toString('latin1') })))
          .to.deep.equal(list.filter((one) => one.filename !== null));
      }));
    });

    it('never throws', () => {
      const pieces = fc.constantFrom(
        '--B', '\r\n', '\r\n--B', '--', '\r\n\r\n', ' ', 'Content-Disposition: form-data; name=a', '; filename=', '"', '\\', ':', '\0',
      );
      fc.assert(fc.property(fc.array(pieces, { maxLength: 40 }), (list) => {
        const { fields, files } = parse(list.join(''));
        expect(fields.length + files.length).to.be.at.most(list.length);
      }), { numRuns: 500 });
    });
  });
});
