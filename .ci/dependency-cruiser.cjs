// Which file may import which. The order is that of the README's map: what stands further right knows nothing of what
// stands further left, so that a WebSocket frame can be tested without a Worker and a Worker without a master.
//
//   bin, index -> lib -> connection -> protocols/registry
//   protocols/Http, Websocket, Ws, Text, Frame -> protocols/http, protocols/websocket
//   anyone -> timer, errors
//   inside lib: Worker -> runAll -> commands | master | child -> control, screens, Settings, Log
//
// Only imports that exist at run time count: a connection names the type of its worker, and that is no knot.

const door = '^(index|connection/index|protocols/index|protocols/http/index|timer/index)\\.ts$';

/** A room of lib, and the rooms of lib that it may use. A file of no room (Listener, Log …) uses none above it. */
const rooms = {
  commands: ['commands'],
  master: ['master'],
  child: ['child'],
  control: ['control'],
  screens: ['screens'],
};

const roomRules = Object.entries(rooms).map(([room, own]) => {
  const others = ['commands', 'master', 'child'].filter((name) => !own.includes(name));
  return {
    name: `lib-${room}-knows-no-room-beside-or-above`,
    comment: 'The master, the child and the commands never import each other; they meet in runAll only.',
    severity: 'error',
    from: { path: `^lib/${room}/` },
    to: { path: `^lib/((${others.join('|')})/|Worker\\.ts$|runAll\\.ts$)` },
  };
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Two files that need each other at run time are one file, or a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'The import names a file or package that is not there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'only-declared-packages',
      comment: 'What the shipped code uses has to be in `dependencies`, or be an optional peer that is loaded on use.',
      severity: 'error',
      from: { pathNot: '^(test|examples|bench)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'doors-are-for-users',
      comment: 'Inside the package, import the file itself: circles come in through an index.',
      severity: 'error',
      from: { path: '^(lib|connection|protocols|timer|errors\\.ts)', pathNot: door },
      to: { path: door },
    },
    {
      name: 'errors-is-a-leaf',
      severity: 'error',
      from: { path: '^errors\\.ts$' },
      to: { path: '^(index\\.ts|bin|lib|connection|protocols|timer)' },
    },
    {
      name: 'timer-knows-only-errors',
      severity: 'error',
      from: { path: '^timer/' },
      to: { path: '^(index\\.ts|bin|lib|connection|protocols)' },
    },
    {
      name: 'protocols-know-no-lib-and-no-connection',
      comment: 'A protocol works on bytes and on something like a connection; the type of it is all it may import.',
      severity: 'error',
      from: { path: '^protocols/' },
      to: { path: '^(index\\.ts|bin|lib|connection)(/|$)' },
    },
    {
      name: 'protocol-parts-know-no-protocol',
      comment: 'Http uses http/, not the other way round.',
      severity: 'error',
      from: { path: '^protocols/(http|websocket)/', pathNot: door },
      to: { path: '^protocols/[^/]+\\.ts$', pathNot: '^protocols/(ProtocolInterface|registry|toBytes|LastMessage)\\.ts$' },
    },
    {
      name: 'registry-is-a-leaf',
      comment: 'What connections may use of protocols brings no protocol along.',
      severity: 'error',
      from: { path: '^protocols/(registry|ProtocolInterface|toBytes)\\.ts$' },
      to: { path: '^(index\\.ts|bin|lib|connection|protocols|timer)', pathNot: '^protocols/ProtocolInterface\\.ts$' },
    },
    {
      name: 'connection-knows-only-the-registry',
      comment: 'And the conversion of raw data to bytes, which has no protocol in it.',
      severity: 'error',
      from: { path: '^connection/', pathNot: door },
      to: {
        path: '^(index\\.ts|bin|lib|protocols)(/|$)',
        pathNot: '^protocols/(registry|ProtocolInterface|toBytes)\\.ts$',
      },
    },
    {
      name: 'connection-door-opens-no-lib',
      comment: 'The doors enter the built-in protocols, so they may import the door of protocols besides.',
      severity: 'error',
      from: { path: '^connection/index\\.ts$' },
      to: { path: '^(index\\.ts|bin|lib)(/|$)' },
    },
    {
      name: 'lib-knows-no-concrete-protocol',
      comment: 'The registry says which protocol a scheme is: a raw TCP worker does not load HTTP.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(index\\.ts|bin/|protocols/)', pathNot: '^protocols/(registry|ProtocolInterface)\\.ts$' },
    },
    ...roomRules,
    {
      name: 'lib-control-and-screens-are-below',
      comment: 'What processes say and what screens show must not depend on who says or shows it.',
      severity: 'error',
      from: { path: '^lib/(control|screens)/' },
      to: { path: '^(connection|protocols)/' },
    },
    {
      name: 'lib-files-below-know-nothing-above',
      comment: 'Worker -> runAll -> rooms; every other file of lib is used by them.',
      severity: 'error',
      from: { path: '^lib/[^/]+\\.ts$', pathNot: '^lib/(Worker|runAll|types)\\.ts$' },
      to: { path: '^lib/((commands|master|child)/|Worker\\.ts$|runAll\\.ts$)' },
    },
    {
      name: 'lib-runAll-knows-no-worker',
      severity: 'error',
      from: { path: '^lib/runAll\\.ts$' },
      to: { path: '^lib/Worker\\.ts$' },
    },
    {
      name: 'lib-worker-goes-through-runAll',
      comment: 'Only runAll knows the three kinds of process.',
      severity: 'error',
      from: { path: '^lib/Worker\\.ts$' },
      to: { path: '^lib/(commands|master|child)/' },
    },
    {
      name: 'log-is-a-leaf',
      severity: 'error',
      from: { path: '^lib/Log\\.ts$' },
      to: { path: '^(index\\.ts|errors\\.ts|bin|lib|connection|protocols|timer)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
