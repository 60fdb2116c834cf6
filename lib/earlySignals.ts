/**
 * Imported before everything else. Node answers SIGUSR1 by opening its inspector port unless somebody listens, and the
 * signal turns deadly when the last listener goes; so one that does nothing is there from the first moment and stays.
 */
process.on('SIGUSR1', () => {});
