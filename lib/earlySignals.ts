/**
 * Imported before everything else. Node answers SIGUSR1 by opening its inspector port unless somebody listens, and the
 * signal turns deadly when the last listener goes; so one that does nothing is there from the first moment, and comes
 * back when user code removes the last one.
 */
const ignore = (): void => {};

process.on('SIGUSR1', ignore);
process.on('removeListener', (event: string | symbol) => {
  if (event === 'SIGUSR1' && process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', ignore);
});
