// npm run bench:micro [-- names]: what single functions cost, in nanoseconds of processor time.
import { microNames, runMicro } from './start.js';

for (const name of microNames(process.argv.slice(2))) {
  console.log(`\n${name}`);
  for (const { name: what, nanoseconds, unit } of await runMicro(name)) {
    console.log(`  ${what.padEnd(46)}${nanoseconds.toFixed(1).padStart(14)} ns per ${unit}`);
  }
}
