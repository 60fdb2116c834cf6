import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ABSENT, ABSENT_CLASSES, CHECKLIST, type Door } from './checklist.js';
import { exportOf, membersOf, sourceOf, symbolOf } from './members.js';
import { reference, root } from './reference.js';

const open = async (door: Door): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(join(root, sourceOf(door))).href)) as Record<string, unknown>;

describe('every name that a Workerman user may rely on', function () {
  this.timeout(120_000);

  for (const [owner, names] of Object.entries(CHECKLIST)) {
    const doors: Door[] = names.door === '.' ? ['.'] : ['.', names.door];

    it(`is there: ${owner} and its members`, async () => {
      const { program } = await reference();
      for (const door of doors) {
        const symbol = exportOf(program, door, owner);
        expect(symbol, `${owner} of '${door}'`).not.to.equal(undefined);
        const missing = membersOf(owner, names).filter((member) => symbolOf(program, symbol!, member) === undefined);
        expect(missing.map(({ title }) => title)).to.deep.equal([]);
      }
    });

    if (names.kind === 'interface') continue;
    it(`is there when the program runs: ${owner}`, async () => {
      for (const door of doors) {
        const value = (await open(door))[owner] as { prototype: object };
        expect(value, `${owner} of '${door}'`).to.be.a('function');
        const { methods = [], constants = [], staticProperties = [], staticMethods = [] } = names;
        expect([...constants, ...staticProperties].filter((name) => !(name in value))).to.deep.equal([]);
        // An abstract method is a promise of the subclasses.
        const isAbstract = owner === 'ConnectionInterface';
        const made = isAbstract ? ['error'] : methods;
        expect(made.filter((name) => typeof Reflect.get(value.prototype, name) !== 'function')).to.deep.equal([]);
        expect(staticMethods.filter((name) => typeof Reflect.get(value, name) !== 'function')).to.deep.equal([]);
      }
    });
  }

  it('is the same object behind every door', async () => {
    const front = await open('.');
    for (const door of ['./connection', './protocols', './protocols/http', './timer'] as const) {
      for (const [name, value] of Object.entries(await open(door))) expect(front[name], name).to.equal(value);
    }
  });
});

describe('the names that are left out on purpose', function () {
  this.timeout(120_000);

  it('are not there', async () => {
    const { program } = await reference();
    for (const [owner, absent] of Object.entries(ABSENT)) {
      const symbol = exportOf(program, '.', owner)!;
      const names = { door: '.', kind: 'class', staticMethods: absent, methods: absent } as const;
      const found = membersOf(owner, names).filter((member) => symbolOf(program, symbol, member) !== undefined);
      expect(found.map(({ title }) => title)).to.deep.equal([]);
    }
    const front = await open('.');
    expect(ABSENT_CLASSES.filter((name) => name in front || exportOf(program, '.', name))).to.deep.equal([]);
  });
});
