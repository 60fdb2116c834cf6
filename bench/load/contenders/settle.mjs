// With SETTLE in the environment, garbage is collected all the time, so that what is left is what is held.
if (process.env.SETTLE) {
  let collect = globalThis.Bun ? () => globalThis.Bun.gc(true) : null;
  if (collect === null) {
    const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')]);
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc');
  }
  setInterval(collect, 500).unref();
}
