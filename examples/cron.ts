// Work at fixed times, by cron patterns (npm install croner). Start it with: npx tsx examples/cron.ts start
import { Cron } from 'croner';
import { Worker } from 'workerman-ts';

// No address: this worker serves nobody, it only has a clock.
const worker = new Worker();
worker.name = 'cron';
// Each process would run every job. One does.
worker.count = 1;

const options = {
  // A run that takes longer than the time to the next one is not joined by a second.
  protect: true,
  // A job that fails is logged and tried again the next time.
  catch: (error: unknown) => Worker.log(error),
};

worker.onWorkerStart = () => {
  // Minute, hour, day of the month, month, day of the week; with a sixth field in front, seconds.
  new Cron('* * * * *', options, reportMemory);
  new Cron('30 3 * * 1-5', { ...options, timezone: 'Europe/Berlin' }, nightly);
};

function reportMemory(): void {
  Worker.log(`cron: this process has ${Math.round(process.memoryUsage().rss / 1024 / 1024)} MB`);
}

/** On working days at half past three, in Berlin's summer and winter time. It may take its time. */
async function nightly(): Promise<void> {
  Worker.log('cron: the nightly work begins');
}

Worker.runAll();
