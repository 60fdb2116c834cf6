import { expect } from 'chai';
import { usage } from '../../../../lib/screens/usage.js';

describe('usage', () => {
  it('is the help of Workerman with node in the place of php', () => {
    expect(usage().split('\n')).to.deep.equal([
      'Usage: node yourfile <command> [mode]',
      'Commands: ',
      'start\t\tStart worker in DEBUG mode.',
      '\t\tUse mode -d to start in DAEMON mode.',
      'stop\t\tStop worker.',
      '\t\tUse mode -g to stop gracefully.',
      'restart\t\tRestart workers.',
      '\t\tUse mode -d to start in DAEMON mode.',
      '\t\tUse mode -g to stop gracefully.',
      'reload\t\tReload codes.',
      '\t\tUse mode -g to reload gracefully.',
      'status\t\tGet worker status.',
      '\t\tUse mode -d to show live status.',
      'connections\tGet worker connections.',
      '',
    ]);
  });
});
