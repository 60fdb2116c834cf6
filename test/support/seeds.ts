import fc from 'fast-check';

/**
 * Where random inputs begin: TEST_SEED, or the same each time, so that a change passes or fails by itself and not by
 * luck. The long run tries others.
 */
export const SEED: number = Number(process.env['TEST_SEED'] ?? 1);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });
