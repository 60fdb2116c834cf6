import { expect } from 'chai';
import { getSingleLineTotalLength, getUiColumns, startScreen } from '../../../../lib/screens/startScreen.js';
import type { StartRow, StartScreenData } from '../../../../lib/screens/startScreen.js';

const row = (worker: string, listen: string, count: number): StartRow => ({
  eventLoop: 'select', proto: 'tcp', user: 'root', worker, listen, count, state: '[OK]',
});

const data: StartScreenData = {
  version: '<version>',
  node: '<version>',
  os: 'Linux/<kernel>',
  mode: 'foreground',
  stopCommand: 'node start.js stop',
  rows: [
    row('web', 'http://127.0.0.1:21001', 2),
    row('chat', 'websocket://127.0.0.1:21002', 1),
    row('cron', 'none', 1),
  ],
};

/** What Workerman 5.2.2 prints for this data, with Node in the place of PHP. `|` marks the ends of lines. */
const RECORDED = `
------------------------------------------------ WORKERMAN -------------------------------------------------|
Workerman/<version>     Node/<version>                Linux/<kernel>|
------------------------------------------------- WORKERS --------------------------------------------------|
event-loop  proto       user        worker      listen                         count       state            |
select      tcp         root        web         http://127.0.0.1:21001         2            [OK]            |
select      tcp         root        chat        websocket://127.0.0.1:21002    1            [OK]            |
select      tcp         root        cron        none                           1            [OK]            |
------------------------------------------------------------------------------------------------------------|
`.slice(1).replaceAll('|\n', '\n');

const linesOf = (changes: Partial<StartScreenData>): string[] => startScreen({ ...data, ...changes }).split('\n');

describe('startScreen', () => {
  it('prints the banner of Workerman byte for byte', () => {
    expect(startScreen(data)).to.equal(`${RECORDED}Press Ctrl+C to stop. Start success.\n`);
  });

  it('ends with the command that stops a daemon and an empty line', () => {
    const expected = `${RECORDED}Input "node start.js stop" to stop. Start success.\n\n`;
    expect(startScreen({ ...data, mode: 'daemon' })).to.equal(expected);
  });

  it('ends without a hint when the command came from code', () => {
    expect(startScreen({ ...data, mode: 'command' })).to.equal(`${RECORDED}Start success.\n`);
  });

  it('widens a column to its longest value and four blanks', () => {
    const rows = [row('a-worker-of-twenty-ch', 'none', 1)];
    const lines = linesOf({ rows });
    expect(lines[4]).to.match(/^select {6}tcp {9}root {8}a-worker-of-twenty-ch {4}none {8}1 {11} \[OK\] {12}$/);
    expect(lines[0]).to.have.length(12 * 5 + 25 + 17);
  });

  it('is wider than the version line', () => {
    const lines = linesOf({ os: `Linux/${'9'.repeat(100)}` });
    expect(lines[1]).to.have.length(160);
    for (const line of [0, 2, 7]) expect(lines[line]).to.have.length(161);
  });

  it('shows the heading alone when there is no Worker', () => {
    const lines = linesOf({ rows: [] });
    expect(lines).to.have.length(7);
    expect(lines[4]).to.equal('-'.repeat(12 * 7));
    expect(lines[3]).to.equal('event-loop  proto       user        worker      listen      count       state       ');
  });
});

describe('getSingleLineTotalLength', () => {
  it('is the sum of the columns', () => {
    expect(getSingleLineTotalLength(data.rows, '')).to.equal(108);
  });

  it('is the length of the version line and one when that is more', () => {
    expect(getSingleLineTotalLength(data.rows, 'x'.repeat(107))).to.equal(108);
    expect(getSingleLineTotalLength(data.rows, 'x'.repeat(108))).to.equal(109);
  });
});

describe('getUiColumns', () => {
  it('names the columns in their order', () => {
    expect(Object.entries(getUiColumns())).to.deep.equal([
      ['event-loop', 'eventLoopName'], ['proto', 'transport'], ['user', 'user'], ['worker', 'name'],
      ['socket', 'statusSocket'], ['count', 'count'], ['state', 'statusState'],
    ]);
  });
});
