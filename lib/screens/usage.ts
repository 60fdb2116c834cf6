const DAEMON_MODE = 'Use mode -d to start in DAEMON mode.';
const GRACEFUL_STOP = 'Use mode -g to stop gracefully.';

/** The commands in the order in which the help names them, each with its lines. */
const COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  ['start', ['Start worker in DEBUG mode.', DAEMON_MODE]],
  ['stop', ['Stop worker.', GRACEFUL_STOP]],
  ['restart', ['Restart workers.', DAEMON_MODE, GRACEFUL_STOP]],
  ['reload', ['Reload codes.', 'Use mode -g to reload gracefully.']],
  ['status', ['Get worker status.', 'Use mode -d to show live status.']],
  ['connections', ['Get worker connections.']],
];

const TAB_WIDTH = 8;
const TEXT_TABS = 2;

/** Tabs that lead from the end of a command's name to the texts, which all begin at the second tab stop. */
function tabsAfter(name: string): string {
  return '\t'.repeat(TEXT_TABS - Math.floor(name.length / TAB_WIDTH));
}

/** The help text; ends with a line feed. */
export function usage(): string {
  const commands = COMMANDS.map(([name, texts]) => name + tabsAfter(name) + texts.join(`\n${'\t'.repeat(TEXT_TABS)}`));
  return `Usage: node yourfile <command> [mode]\nCommands: \n${commands.join('\n')}\n`;
}
