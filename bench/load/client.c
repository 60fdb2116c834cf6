// Load for the benchmarks: one thread, one epoll, many connections, answers counted by their length.
//
//   client ask PORT CONNECTIONS DEPTH SECONDS REQUEST LENGTH
//       every connection sends DEPTH copies of REQUEST (a file) at once and waits for DEPTH answers of LENGTH bytes
//   client once PORT CONNECTIONS SECONDS REQUEST LENGTH
//       as `ask`, but every request has a connection of its own, which the server closes
//   client greeted PORT CONNECTIONS DEPTH SECONDS GREETING GREETING_LENGTH REQUEST LENGTH
//       as `ask`, after GREETING was sent and answered once per connection (a WebSocket handshake)
//   client rotate PORT CONNECTIONS ACTIVE SECONDS REQUEST LENGTH
//       every connection asks once; then ACTIVE of them wait for an answer at any time, and whenever one has come the
//       next connection in the circle asks
//   client fan PORT CONNECTIONS DEPTH ROUNDS GREETING GREETING_LENGTH TRIGGER TRIGGER_LENGTH LENGTH
//       CONNECTIONS listeners; one more connection sends DEPTH copies of TRIGGER (a file) at once, ROUNDS times, each time
//       after every listener has got LENGTH bytes and the trigger its answer of TRIGGER_LENGTH bytes for each of them.
//       Listeners are greeted first; so is the trigger when TRIGGER_LENGTH is 0 (then it is a listener itself).
//   client idle PORT CONNECTIONS GREETING GREETING_LENGTH
//       opens the connections, greets, holds them, and counts those that are still open
//
// Prints `ready` and waits for a line on its input before it begins to count, then prints `answers failures` and waits
// for another line with its connections open, so that whoever reads the clocks of the server can do so. Ends after four
// minutes at the latest. With ANSWERS in its environment it counts no further than that.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 70000
#define EVENTS 256

typedef struct { char *bytes; size_t length; } Text;

static int port, epfd;
static long answers, failures, wanted;
static size_t received[MAX_FDS];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int goesOn(double end) {
  return now() < end && (wanted == 0 || answers < wanted);
}

static Text load(const char *path, int copies) {
  struct stat status;
  FILE *f = fopen(path, "rb");
  if (!f || fstat(fileno(f), &status)) { perror(path); exit(2); }
  size_t length = status.st_size;
  char *all = malloc(length * copies + 1);
  if (fread(all, 1, length, f) != length) { perror(path); exit(2); }
  fclose(f);
  for (int i = 1; i < copies; i++) memcpy(all + i * length, all, length);
  return (Text){all, length * copies};
}

static void put(int fd, Text text) {
  size_t done = 0;
  while (done < text.length) {
    ssize_t n = write(fd, text.bytes + done, text.length - done);
    if (n > 0) done += n;
    else if (errno == EAGAIN) {
      struct pollfd writable = {.fd = fd, .events = POLLOUT};
      poll(&writable, 1, 1000);
    } else { failures++; return; }
  }
}

static int dial(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || fd >= MAX_FDS || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) { perror("connect"); exit(1); }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  received[fd] = 0;
  return fd;
}

static void watch(int fd) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
}

static void greet(int fd, Text greeting, size_t length) {
  static char buffer[65536];
  put(fd, greeting);
  for (size_t got = 0; got < length;) {
    size_t missing = length - got;
    ssize_t n = read(fd, buffer, missing < sizeof buffer ? missing : sizeof buffer);
    if (n <= 0) { fprintf(stderr, "greeting failed\n"); exit(1); }
    got += n;
  }
}

static int *dialAll(int connections, Text greeting, size_t greetingLength) {
  int *fds = malloc(connections * sizeof *fds);
  for (int i = 0; i < connections; i++) {
    fds[i] = dial();
    if (greeting.length) greet(fds[i], greeting, greetingLength);
    watch(fds[i]);
  }
  return fds;
}

static void waitForLine(void) {
  char line[16];
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) exit(2);
}

static void ready(void) {
  printf("ready\n");
  waitForLine();
}

static ssize_t take(int fd) {
  static char buffer[1 << 18];
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n > 0) received[fd] += n;
  return n < 0 && errno == EAGAIN ? -2 : n;
}

// Whether the answers of `length` bytes have come whole. A connection that has ended is a failure.
static int answered(int fd, size_t length) {
  ssize_t got = take(fd);
  if (got == -2) return 0;
  if (got <= 0) { failures++; close(fd); return 0; }
  if (received[fd] < length) return 0;
  if (received[fd] > length) failures++;
  received[fd] = 0;
  return 1;
}

// The next events; nothing for five seconds is a failure.
static int next(struct epoll_event *events) {
  int n = epoll_wait(epfd, events, EVENTS, 5000);
  if (n <= 0) failures++;
  return n;
}

// When the time is over, nothing more is asked, but all that was asked is waited for and counted: else a server would
// have worked for answers that nobody counts.
static void ask(int *fds, int connections, int depth, double seconds, Text batch, size_t length) {
  ready();
  for (int i = 0; i < connections; i++) put(fds[i], batch);
  struct epoll_event events[EVENTS];
  double end = now() + seconds;
  for (int waiting = connections; waiting > 0 && failures == 0;) {
    int n = next(events);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (!answered(fd, length * depth)) continue;
      answers += depth;
      if (goesOn(end)) put(fd, batch);
      else waiting--;
    }
  }
}

static void rotate(int *fds, int connections, int active, double seconds, Text request, size_t length) {
  static char busy[MAX_FDS];
  int at = 0;
  ready();
  for (; at < active && at < connections; at++) { put(fds[at], request); busy[fds[at]] = 1; }
  struct epoll_event events[EVENTS];
  double end = now() + seconds;
  for (int waiting = at; waiting > 0 && failures == 0;) {
    int n = next(events);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (!answered(fd, length)) continue;
      answers++;
      busy[fd] = 0;
      if (!goesOn(end)) { waiting--; continue; }
      while (busy[fds[at % connections]]) at++;
      fd = fds[at++ % connections];
      put(fd, request);
      busy[fd] = 1;
    }
  }
}

static void openAndPut(Text request) {
  int fd = dial();
  watch(fd);
  put(fd, request);
}

static void once(int connections, double seconds, Text request, size_t length) {
  ready();
  for (int i = 0; i < connections; i++) openAndPut(request);
  struct epoll_event events[EVENTS];
  double end = now() + seconds;
  for (int waiting = connections; waiting > 0 && failures == 0;) {
    int n = next(events);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      ssize_t got = take(fd);
      if (got > 0 || got == -2) continue;
      if (got == 0 && received[fd] == length) answers++;
      else failures++;
      close(fd);
      if (goesOn(end)) openAndPut(request);
      else waiting--;
    }
  }
}

static void fan(int connections, int depth, int rounds, Text greeting, size_t greetingLength, Text trigger, size_t triggerLength, size_t length) {
  dialAll(connections, greeting, greetingLength);
  int caller = dial();
  if (triggerLength == 0) greet(caller, greeting, greetingLength);
  watch(caller);
  ready();
  struct epoll_event events[EVENTS];
  int listeners = connections + (triggerLength == 0);
  for (int round = 0; round < rounds; round++) {
    put(caller, trigger);
    int waiting = connections + 1;
    while (waiting > 0) {
      int n = next(events);
      if (failures) return;
      for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;
        if (answered(fd, depth * (fd == caller && triggerLength ? triggerLength : length))) waiting--;
        if (failures) return;
      }
    }
    answers += (long)listeners * depth;
  }
}

static void idle(int *fds, int connections) {
  char byte;
  ready();
  for (int i = 0; i < connections; i++) {
    if (recv(fds[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) answers++;
    else failures++;
  }
}

int main(int argc, char **argv) {
  struct rlimit limit = {MAX_FDS, MAX_FDS};
  if (setrlimit(RLIMIT_NOFILE, &limit)) { // only root can go beyond the hard limit
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (argc < 6) return 2;
  alarm(240);
  char *mode = argv[1];
  Text none = {0, 0};
  port = atoi(argv[2]);
  int connections = atoi(argv[3]);
  epfd = epoll_create1(0);
  if (getenv("ANSWERS")) wanted = atol(getenv("ANSWERS"));

  if (!strcmp(mode, "ask") && argc == 8) {
    int depth = atoi(argv[4]);
    ask(dialAll(connections, none, 0), connections, depth, atof(argv[5]), load(argv[6], depth), atol(argv[7]));
  } else if (!strcmp(mode, "once") && argc == 7) {
    once(connections, atof(argv[4]), load(argv[5], 1), atol(argv[6]));
  } else if (!strcmp(mode, "greeted") && argc == 10) {
    int depth = atoi(argv[4]);
    int *fds = dialAll(connections, load(argv[6], 1), atol(argv[7]));
    ask(fds, connections, depth, atof(argv[5]), load(argv[8], depth), atol(argv[9]));
  } else if (!strcmp(mode, "rotate") && argc == 8) {
    Text request = load(argv[6], 1);
    int *fds = dialAll(connections, request, atol(argv[7]));
    rotate(fds, connections, atoi(argv[4]), atof(argv[5]), request, atol(argv[7]));
  } else if (!strcmp(mode, "fan") && argc == 11) {
    int depth = atoi(argv[4]);
    Text trigger = load(argv[8], depth);
    fan(connections, depth, atoi(argv[5]), load(argv[6], 1), atol(argv[7]), trigger, atol(argv[9]), atol(argv[10]));
  } else if (!strcmp(mode, "idle") && argc == 6) {
    idle(dialAll(connections, load(argv[4], 1), atol(argv[5])), connections);
  } else return 2;

  printf("%ld %ld\n", answers, failures);
  waitForLine();
  return failures > 0;
}
