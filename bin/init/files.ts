import { TEMPLATES } from './templates.js';

/** What `workerman init` writes, as text: no file is read or written here. */

/** What is known of the project. */
export interface Project {
  /** Name that npm accepts. */
  name: string;
  /** Key of {@link TEMPLATES}. */
  template: string;
  docker: boolean;
  systemd: boolean;
}

/** This package's own manifest, as far as it is needed here. */
export interface OwnManifest {
  version: string;
  /** The tools with which this package is developed and tested: a project begins with the same. */
  devDependencies: Readonly<Record<string, string>>;
}

/** A `package.json`, or parts of one. */
export interface Manifest {
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  [field: string]: unknown;
}

const SCRIPTS = {
  dev: 'workerman start.ts start --watch',
  start: 'workerman start.ts start',
  reload: 'workerman start.ts reload -g',
  status: 'workerman start.ts status',
  connections: 'workerman start.ts connections',
  restart: 'workerman start.ts restart -d',
  stop: 'workerman start.ts stop',
  build: 'tsc',
};
const TOOLS = ['@types/node', 'tsx', 'typescript'];

/**
 * The project's `package.json`.
 * @param existing what `npm init` and `npm install` have written already; what it names stays, but for the type of the
 * modules and the scripts that npm puts there as placeholders
 */
export function manifest(project: Project, own: OwnManifest, existing: Manifest = {}): string {
  const tools = Object.fromEntries(TOOLS.map((name) => [name, own.devDependencies[name] ?? '*']));
  const content = {
    name: project.name,
    version: '0.1.0',
    private: true,
    ...existing,
    type: 'module',
    main: undefined,
    scripts: { ...existing.scripts, test: undefined, ...SCRIPTS },
    dependencies: { 'workerman-ts': `^${own.version}`, ...existing.dependencies },
    devDependencies: { ...tools, ...existing.devDependencies },
  };
  return json(content);
}

const json = (content: unknown): string => `${JSON.stringify(content, null, 2)}\n`;

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    sourceMap: true,
    types: ['node'],
    rootDir: '.',
    outDir: 'dist',
  },
  include: ['**/*.ts'],
  exclude: ['node_modules', 'dist'],
};

/** What the service writes beside its script. */
const WRITTEN = ['workerman.log', 'workerman.*.pid', 'workerman.*.pid.lock', 'workerman.*.pid.sock'];

const ignore = (...more: string[]): string =>
  [...more, 'node_modules/', 'dist/', ...WRITTEN].map((line) => `${line}\n`).join('');

const DOCKERFILE = `# docker build -t my-service . && docker run -p 8080:8080 my-service
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
# PID 1 has to collect what programs of killed processes leave behind, which is not the service's business.
RUN apt-get update \\
 && apt-get install -y --no-install-recommends tini \\
 && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=node:node /app ./
# Pid file, control socket and log lie beside the script.
RUN chown node:node /app /app/dist
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--"]
# In the foreground: the container is the background. The list form, because a shell would keep the signals.
CMD ["node", "dist/start.js", "start", "-q"]
`;

const unit = (name: string): string => `# The project, built (npm ci && npm run build && npm prune --omit=dev), belongs in /srv/${name}, this file
# in /etc/systemd/system/. A user for it: useradd --system ${name}. Then: systemctl enable --now ${name}
[Unit]
Description=${name}
After=network-online.target
Wants=network-online.target

[Service]
# The process that systemd starts is the master: no -d.
Type=exec
User=${name}
WorkingDirectory=/srv/${name}
ExecStart=/usr/bin/node /srv/${name}/dist/start.js start -q
# A graceful reload: connections stay with the old processes, code that does not start changes nothing.
ExecReload=/bin/kill -USR2 $MAINPID
# The order to stop goes to the master, which sees its processes off.
KillMode=mixed
# Longer than Worker.stopTimeout, 2 s by default.
TimeoutStopSec=15
# The master replaces worker processes by itself, and exits with 0 when it was told to stop.
Restart=on-failure
RestartSec=1
LimitNOFILE=1048576
NoNewPrivileges=true
PrivateTmp=true
ProtectHome=true
ProtectSystem=strict
# Pid file, control socket and log lie beside the script: ${name} has to own this folder.
ReadWritePaths=/srv/${name}/dist

[Install]
WantedBy=multi-user.target
`;

/** Name and text of every file of the project but `package.json`. */
export function files({ name, template, docker, systemd }: Project): Map<string, string> {
  const all = new Map([
    ['start.ts', TEMPLATES[template]?.script(name) ?? ''],
    ['tsconfig.json', json(TSCONFIG)],
    ['.gitignore', ignore()],
  ]);
  if (docker) all.set('Dockerfile', DOCKERFILE).set('.dockerignore', ignore('.git/'));
  if (systemd) all.set(`${name}.service`, unit(name));
  return all;
}
