import { expect } from 'chai';
import { Worker } from 'workerman-ts';
import { Settings } from '../../../lib/Settings.js';

describe('settings of the whole service', () => {
  const texts = ['stdoutFile', 'pidFile', 'statusFile', 'logFile', 'command'] as const;
  const numbers = ['logFileMaxSize', 'stopTimeout', 'drainTimeout'] as const;
  const before = Object.fromEntries([...texts, ...numbers].map((name) => [name, Settings[name]]));
  afterEach(() => Object.assign(Settings, before));
  const set = (name: string, value: unknown): void => void Reflect.set(Worker, name, value);

  for (const name of texts) {
    it(`${name} is text: scalars become it, anything else is refused where it is set`, () => {
      for (const [value, text] of [['a b', 'a b'], [5, '5'], [false, ''], [true, '1']] as const) {
        set(name, value);
        expect(Worker[name]).to.equal(text);
      }
      for (const value of [null, undefined, ['start'], {}, () => 'x', Symbol('s')]) {
        expect(() => set(name, value)).to.throw(TypeError, `Worker.${name} must be a string, got`)
          .with.property('code', 'WM_SETTING');
      }
      expect(Worker[name]).to.equal('1');
    });
  }

  for (const name of numbers) {
    it(`${name} is a number, or text that is one`, () => {
      for (const [value, number] of [[0.5, 0.5], [Infinity, Infinity], ['30', 30], [true, 1]] as const) {
        set(name, value);
        expect(Worker[name]).to.equal(number);
      }
      for (const value of [null, undefined, 'x', '', NaN, [], {}]) {
        expect(() => set(name, value)).to.throw(TypeError, `Worker.${name} must be a number, got`)
          .with.property('code', 'WM_SETTING');
      }
      expect(Worker[name]).to.equal(1);
    });
  }

  it('say what came', () => {
    expect(() => set('pidFile', undefined)).to.throw('Worker.pidFile must be a string, got undefined');
    expect(() => set('command', ['start'])).to.throw('Worker.command must be a string, got an array');
    expect(() => set('stopTimeout', 'soon')).to.throw('Worker.stopTimeout must be a number, got "soon"');
    expect(() => set('stopTimeout', NaN)).to.throw('Worker.stopTimeout must be a number, got NaN');
  });
});
