// Measures the functions of one file, whose name it is given, and prints their costs as JSON.
import { measure, type Micro } from './harness.js';

const { micros } = (await import(`./${process.argv[2]}.bench.js`)) as { micros: readonly Micro[] };
console.log(JSON.stringify(micros.map(measure)));
