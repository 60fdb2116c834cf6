import { expect } from 'chai';
import { existsSync, readFileSync, readlinkSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUpScripts, freePort, type Script } from '../support/process.js';
import { bodyOf, get, logged, startService, until, type ServiceOptions } from '../support/service.js';

interface Service {
  script: Script;
  port: number;
  /** Pid of the master. */
  master: number;
}

/** A daemon; its output goes to the file `out`. */
async function daemon(extra = '', options: ServiceOptions = {}): Promise<Service> {
  const port = await freePort();
  const script = startService(
    `Worker.stdoutFile = new URL('./out', import.meta.url).pathname;
     const worker = new Worker('http://127.0.0.1:${port}');
     worker.onMessage = (connection, request) => {
       if (request.path() === '/throw') throw new Error('of a worker process');
       if (request.path() === '/print') { console.log('printed'); console.error('complained'); Worker.log('noted'); }
       connection.send(String(process.pid));
     };
     ${extra}`,
    { args: ['start', '-d'], ...options },
  );
  expect(await script.exit(), script.describe()).to.deep.equal({ code: 0, signal: null });
  return { script, port, master: Number(readFileSync(join(script.folder, 'workerman.start.mjs.pid'), 'utf8')) };
}

const out = (script: Script): string => readFileSync(join(script.folder, 'out'), 'utf8');

/** Session and controlling terminal of a process. */
function sessionOf(pid: number): { session: number; terminal: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return { session: Number(fields[3]), terminal: Number(fields[4]) };
}

describe('daemon', function () {
  this.timeout(30_000);
  afterEach(cleanUpScripts);

  it('is there when the command returns: clients can connect, before any process has started to work', async () => {
    const other = await freePort();
    const { script, port } = await daemon(
      `worker.onWorkerStart = () => Timer.sleep(0.3);
       new Worker('udp://127.0.0.1:${other}').name = 'datagrams';`,
    );
    expect(await bodyOf(port)).to.match(/^\d+$/);
    expect(script.output).to.match(/^Workerman\[start.mjs\] start in DAEMON mode\n-+ WORKERMAN -+\n/);
    expect(script.output).to.match(/\nnode +tcp +\S+ +none +http:/).and.match(/\nnode +udp +\S+ +datagrams +udp:/);
    expect(script.output).to.match(/\nInput "node start.mjs stop" to stop. Start success.\n\n$/);
  });

  it('has a session of its own, no terminal, and outlives the shell that started it', async () => {
    const port = await freePort();
    // A shell in a session of its own, which is hung up when the daemon is there, with all that belongs to it.
    const shell = startService(
      `new Worker('http://127.0.0.1:${port}').onMessage = (connection) => connection.send('here');`,
      { args: ['start', '-d'], before: ['setsid', '--fork', '--wait', 'sh', '-c', '"$0" "$@"; echo up; sleep 60'] },
    );
    await shell.waitFor(/up\n/);
    const [sleeping] = await until(shell, () => [...shell.processes()].find(([, line]) => line === 'sleep 60'));
    const { session } = sessionOf(sleeping);
    const master = masterOf(shell);
    expect(sessionOf(master)).to.deep.equal({ session: master, terminal: 0 });
    expect(session).not.to.equal(master);
    process.kill(-session, 'SIGHUP');
    await shell.exit();
    expect(await bodyOf(port)).to.equal('here');
    process.kill(master, 'SIGINT');
    await until(shell, () => !existsSync(`/proc/${master}`));
  });

  it('writes what is printed to stdoutFile, and what is logged to the log file alone', async () => {
    const { script, port } = await daemon(
      "console.log('above runAll in ' + (process.send ? 'a worker' : 'a command'));",
    );
    await bodyOf(port, '/print');
    await until(script, () => out(script).includes('complained'));
    expect(out(script)).to.contain('printed\n').and.contain('above runAll in a worker\n').and.not.contain('noted');
    expect(script.log()).to.contain('noted');
    await get(port, '/throw').catch(() => {});
    await script.waitForLog(/Error: of a worker process\n\s+at [\s\S]*exit with status 64000/);
    expect(out(script)).not.to.contain('of a worker process');
    expect(script.output, 'nothing of it on the terminal').not.to.contain('printed');
  });

  it('keeps the umask, and makes files that only their owner writes', async () => {
    const { script } = await daemon("fs.writeFileSync('umask-' + process.pid, process.umask().toString(8));", {
      before: ['sh', '-c', 'umask 027; exec "$0" "$@"'],
    });
    const mode = (name: string): string => (statSync(join(script.folder, name)).mode & 0o777).toString(8);
    expect(mode('out')).to.equal('640');
    expect(mode('workerman.start.mjs.pid')).to.equal('640');
    expect(mode('workerman.start.mjs.pid.sock')).to.equal('600');
    expect(mode('workerman.log')).to.equal('644');
    await until(script, () => script.workers(masterOf(script)).length === 1);
    const { readdirSync } = await import('node:fs');
    const masks = readdirSync(script.folder).filter((name) => name.startsWith('umask-'));
    expect(new Set(masks.map((name) => readFileSync(join(script.folder, name), 'utf8')))).to.deep.equal(
      new Set(['27']),
    );
  });

  it('opens stdoutFile anew on a reload, after a rotation, in every process', async () => {
    const { script, port, master } = await daemon(`
      const fixed = new Worker('http://127.0.0.1:${await freePort()}');
      fixed.reloadable = false;
      fixed.onWorkerStart = () => Timer.add(0.02, () => console.log('fixed'));
      Timer.add(0.02, () => console.log('master'));`);
    await until(script, () => /fixed[\s\S]*master|master[\s\S]*fixed/.test(out(script)));
    renameSync(join(script.folder, 'out'), join(script.folder, 'out.1'));
    const before = await bodyOf(port);
    await script.run(['reload']);
    await until(script, async () => (await bodyOf(port)) !== before);
    await bodyOf(port, '/print');
    await until(
      script,
      () =>
        existsSync(join(script.folder, 'out')) &&
        /master/.test(out(script)) &&
        /fixed/.test(out(script)) &&
        /printed/.test(out(script)),
    );
    expect(statSync(join(script.folder, 'out')).mode & 0o777).to.equal(0o644);
    expect(readlinkSync(`/proc/${master}/fd/0`)).to.equal('/dev/null');
  });

  it('that fails says why and exits with 1: the address, stdoutFile', async () => {
    const { port, script } = await daemon();
    const taken = startService(`new Worker('tcp://127.0.0.1:${port}');`, { args: ['start', '-d'] });
    const nowhere = startService("Worker.stdoutFile = '/no/such/folder/out'; new Worker();", { args: ['-d'] });
    expect(await taken.exit()).to.deep.equal({ code: 1, signal: null });
    expect(await nowhere.exit()).to.deep.equal({ code: 1, signal: null });
    expect(taken.output).to.match(/Error: Unable to listen on tcp:\/\/127.0.0.1:\d+: Address already in use\n\s+at /);
    expect(nowhere.output).to.contain('can not open /no/such/folder/out');
    await Promise.all([taken.leavesNothingBehind(), nowhere.leavesNothingBehind()]);
    expect(logged(script)).not.to.include('Workerman[start.mjs] stopping');
  });

  it('that ends before it has started says so', async () => {
    const script = startService('if (process.send) process.exit(3);', { args: ['start', '-d'] });
    expect(await script.exit()).to.deep.equal({ code: 1, signal: null });
    expect(script.output).to.contain('the background process ended early (3)');
  });

  it('tells its mode in status, and holds no pipe of the one who started it', async () => {
    const { script, master } = await daemon();
    expect((await script.run(['status'])).output).to.contain('Start worker in DAEMON mode.\n');
    expect(readlinkSync(`/proc/${master}/fd/1`)).to.equal(join(script.folder, 'out'));
    expect(readlinkSync(`/proc/${master}/fd/2`)).to.equal(join(script.folder, 'out'));
  });
});

const masterOf = (script: Script): number =>
  Number(readFileSync(join(script.folder, 'workerman.start.mjs.pid'), 'utf8'));
