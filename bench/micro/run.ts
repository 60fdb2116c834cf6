// npm run bench:micro [-- names]: what single functions cost, in nanoseconds of processor time.
import { microNames, runMicro } from './start.js';

for (const name of microNames(process.argv.slice(2))) {
  console.log(`\n${name}`);
  for (const { name: what, nanoseconds, kernel, unit } of await runMicro(name)) {
    const share = kernel > nanoseconds / 10 ? `, ${kernel.toFixed(0)} of them in the kernel` : '';
    console.log(`  ${what.padEnd(46)}${nanoseconds.toFixed(1).padStart(14)} ns per ${unit}${share}`);
  }
}
