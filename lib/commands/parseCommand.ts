/** The words that are commands, and no other. */
export const COMMANDS = ['start', 'stop', 'restart', 'reload', 'status', 'connections'] as const;

/** A word of {@link COMMANDS}. */
export type CommandName = (typeof COMMANDS)[number];

/** What the words of a command line ask for. */
export interface ParsedCommand {
  /** What to do; `usage` prints the help. */
  command: CommandName | 'usage';
  /** `-d`: as a daemon for `start` and `restart`, again and again for `status`; the others ignore it. */
  daemon: boolean;
  /** `-g`: let connections end by themselves; for `stop`, `restart` and `reload`. */
  graceful: boolean;
  /** `-q`: no banner. */
  quiet: boolean;
  /** `--json`: print the report itself; only for `status` and `connections`, elsewhere the word is the user's. */
  json: boolean;
  /** `--watch`: reload when the code changes; only for `start` and `restart`, elsewhere the word is the user's. */
  watch: boolean;
  /** With `usage`: nobody asked for help, but no word is a command. The exit code is then 1. */
  unknown: boolean;
  /** The words that are not ours, in order: arguments of the user's program. */
  rest: string[];
}

type Flag = 'daemon' | 'graceful' | 'quiet' | 'json' | 'watch' | 'help';

const FLAGS: ReadonlyMap<string, Flag> = new Map([
  ['-d', 'daemon'],
  ['-g', 'graceful'],
  ['-q', 'quiet'],
  ['-h', 'help'],
  ['--help', 'help'],
]);

function isCommand(word: string): word is CommandName {
  return (COMMANDS as readonly string[]).includes(word);
}

/**
 * The words that tell what to do: those of the command line, and after them those that the program adds.
 *
 * @param argv words after the script's name
 * @param extraWords `Worker.command`, words separated by white space
 */
export function commandWords(argv: readonly string[], extraWords: string): string[] {
  return [...argv, ...extraWords.split(/\s+/).filter((word) => word !== '')];
}

/** The flags that only some commands know. */
const SPECIAL_FLAGS: Readonly<Record<string, { flag: Flag; commands: readonly (CommandName | undefined)[] }>> = {
  '--json': { flag: 'json', commands: ['status', 'connections'] },
  '--watch': { flag: 'watch', commands: ['start', 'restart', undefined] },
};

function flagOf(word: string, command: CommandName | undefined): Flag | undefined {
  const special = Object.hasOwn(SPECIAL_FLAGS, word) ? SPECIAL_FLAGS[word] : undefined;
  return special?.commands.includes(command) ? special.flag : FLAGS.get(word);
}

/** Without a command word: the default, unless some word may have been meant as a command. */
function withoutCommand(rest: readonly string[]): CommandName | 'usage' {
  return rest.every((word) => word.startsWith('-')) ? 'start' : 'usage';
}

/**
 * Finds command and modes in a command line. The first word that is a command counts, wherever it stands, because
 * the program's own arguments may stand anywhere too (`start --port 80 foo -d`); further command words are the
 * program's. Modes may be combined and come in any order. Without a command word the command is `start`, unless some
 * word could be meant as a command (it does not begin with `-`). Never throws.
 *
 * @param argv words after the script's name
 * @param extraWords `Worker.command`: words that the program appends to its command line
 */
export function parseCommand(argv: readonly string[], extraWords: string = ''): ParsedCommand {
  const words = commandWords(argv, extraWords);
  const command = words.find(isCommand);
  const flags = new Set<Flag>();
  const rest: string[] = [];
  let named = false;
  for (const word of words) {
    const flag = flagOf(word, command);
    if (flag !== undefined) {
      flags.add(flag);
    } else if (word === command && !named) {
      named = true;
    } else {
      rest.push(word);
    }
  }
  const help = flags.has('help');
  const found = help ? 'usage' : (command ?? withoutCommand(rest));
  return {
    command: found,
    daemon: flags.has('daemon'),
    graceful: flags.has('graceful'),
    quiet: flags.has('quiet'),
    json: flags.has('json'),
    watch: flags.has('watch'),
    unknown: found === 'usage' && !help,
    rest,
  };
}
