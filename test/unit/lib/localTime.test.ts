import { expect } from 'chai';
import { localTime } from '../../../lib/Log.js';

/** In some zones the day is another one than in UTC. */
const MOMENT = new Date('2026-01-31T22:45:06.789Z');

/** Does something while the environment names this zone, or none. */
function inZone<T>(zone: string | undefined, act: () => T): T {
  const before = process.env['TZ'];
  const set = (value: string | undefined): void => {
    if (value === undefined) delete process.env['TZ'];
    else process.env['TZ'] = value;
  };
  set(zone);
  try {
    return act();
  } finally {
    set(before);
  }
}

/** What the Date itself says. */
function asked(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

describe('localTime', () => {
  for (const [zone, text] of [
    ['UTC', '2026-01-31 22:45:06'],
    ['Etc/UTC', '2026-01-31 22:45:06'],
    ['Asia/Kolkata', '2026-02-01 04:15:06'],
    ['America/St_Johns', '2026-01-31 19:15:06'],
    ['Etc/GMT-14', '2026-02-01 12:45:06'],
  ] as const) {
    it(`is that of the zone in the environment: ${zone}`, () => {
      expect(inZone(zone, () => localTime(MOMENT))).to.equal(text);
    });
  }

  it('knows when the clocks are changed', () => {
    const times = ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z'].map((text) => new Date(text));
    expect(inZone('Europe/Berlin', () => times.map(localTime))).to.deep.equal([
      '2026-03-29 01:59:59', '2026-03-29 03:00:00',
    ]);
  });

  for (const zone of [undefined, '', 'Zulu', 'GMT', 'Nowhere/Land']) {
    it(`is what a Date says where the zone is ${zone === undefined ? "the system's" : `'${zone}'`}`, () => {
      const [said, expected] = inZone(zone, () => [localTime(MOMENT), asked(MOMENT)]);
      expect(said).to.equal(expected);
    });
  }

  it('writes small numbers and early years in full', () => {
    const date = new Date('0987-06-05T04:03:02Z');
    expect(inZone('UTC', () => localTime(date))).to.equal('0987-06-05 04:03:02');
    expect(inZone('Etc/GMT-1', () => localTime(date))).to.equal('0987-06-05 05:03:02');
  });
});
