import { expect } from 'chai';
import { headerLines } from '../../../../protocols/websocket/headerLines.js';

const texts = (headers: unknown): string[] => headerLines(headers).map(({ text }) => text);

describe('connection.headers of a WebSocket', () => {
  it('are whole lines in a list', () => {
    expect(texts(['Sec-WebSocket-Protocol: chat', 'X-A:b'])).to.deep.equal(['Sec-WebSocket-Protocol: chat', 'X-A:b']);
    expect(headerLines(['X-A:  b '])).to.deep.equal([{ name: 'x-a', value: 'b', text: 'X-A:  b ' }]);
  });

  it('are names and values in an object; a list is several lines', () => {
    expect(texts({ 'X-A': 'a', 'x-b': ['1', 2], 'X-C': '' })).to.deep.equal(['X-A: a', 'x-b: 1', 'x-b: 2', 'X-C: ']);
  });

  it('are left out when they would not be one well-formed line each', () => {
    expect(
      texts([
        'X: a\r\nY: b',
        'X: a\n',
        'X: a\0',
        'no colon',
        ': no name',
        'two words: x',
        'é: x',
        'X-Good: 1',
        7,
        null,
      ]),
    ).to.deep.equal(['X-Good: 1']);
    expect(
      texts({
        'X\r\n': '1',
        'X:': '1',
        'X Y': '1',
        '': '1',
        'X-1': 'a\r\nb',
        'X-2': ['a', 'b\0'],
        'X-3': null,
        'X-4': {},
      }),
    ).to.deep.equal(['X-2: a']);
  });

  it('are none when they are something else', () => {
    for (const headers of [undefined, null, '', 'X: 1', 7, [], {}]) expect(texts(headers)).to.deep.equal([]);
  });
});
