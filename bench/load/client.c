// Load for the benchmarks: one thread, one epoll, many connections, answers counted by their length.
//
//   client ask PORT CONNECTIONS DEPTH SECONDS REQUEST LENGTH
//       every connection sends DEPTH copies of REQUEST (a file) at once and waits for DEPTH answers of LENGTH bytes
//   client once PORT CONNECTIONS SECONDS REQUEST LENGTH
//       as `ask`, but every request has a connection of its own, which the server closes
//   client greeted PORT CONNECTIONS DEPTH SECONDS GREETING GREETING_LENGTH REQUEST LENGTH
//       as `ask`, after GREETING was sent and answered once per connection (a WebSocket handshake)
//   client fan PORT CONNECTIONS ROUNDS GREETING GREETING_LENGTH TRIGGER TRIGGER_LENGTH LENGTH
//       CONNECTIONS listeners; one more connection sends TRIGGER (a file) ROUNDS times, each time after every listener
//       has got LENGTH bytes and the trigger its answer of TRIGGER_LENGTH bytes. Listeners are greeted first; so is the
//       trigger when TRIGGER_LENGTH is 0 (then it is a listener itself).
//   client idle PORT CONNECTIONS SECONDS GREETING GREETING_LENGTH
//       opens the connections, greets, holds them
//
// Prints `ready` and waits for a line on its input before it begins to count, then prints `answers failures` and waits
// for another line with its connections open, so that whoever reads the clocks of the server can do so. Ends after four
// minutes at the latest.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 70000

typedef struct { char *bytes; size_t length; } Text;

static int port, epfd;
static long answers, failures;
static size_t received[MAX_FDS];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static Text load(const char *path, int copies) {
  Text text = {malloc(1 << 20), 0};
  FILE *f = fopen(path, "rb");
  if (!f) { perror(path); exit(2); }
  text.length = fread(text.bytes, 1, 1 << 20, f);
  fclose(f);
  char *all = malloc(text.length * copies);
  for (int i = 0; i < copies; i++) memcpy(all + i * text.length, text.bytes, text.length);
  free(text.bytes);
  return (Text){all, text.length * copies};
}

static void put(int fd, Text text) {
  size_t done = 0;
  while (done < text.length) {
    ssize_t n = write(fd, text.bytes + done, text.length - done);
    if (n > 0) done += n;
    else if (errno != EAGAIN) { failures++; return; }
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
    ssize_t n = read(fd, buffer, length - got);
    if (n <= 0) { fprintf(stderr, "greeting failed\n"); exit(1); }
    got += n;
  }
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

static void ask(int connections, int depth, double seconds, Text greeting, size_t greetingLength, Text batch, size_t length) {
  int *fds = malloc(connections * sizeof *fds);
  for (int i = 0; i < connections; i++) {
    fds[i] = dial();
    if (greeting.length) greet(fds[i], greeting, greetingLength);
    watch(fds[i]);
  }
  ready();
  for (int i = 0; i < connections; i++) put(fds[i], batch);
  struct epoll_event events[256];
  for (double end = now() + seconds; now() < end;) {
    int n = epoll_wait(epfd, events, 256, 100);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      ssize_t got = take(fd);
      if (got == -2) continue;
      if (got <= 0) { failures++; close(fd); continue; }
      if (received[fd] < length * depth) continue;
      if (received[fd] > length * depth) failures++;
      received[fd] = 0;
      answers += depth;
      put(fd, batch);
    }
  }
}

static void once(int connections, double seconds, Text request, size_t length) {
  ready();
  for (int i = 0; i < connections; i++) { int fd = dial(); watch(fd); put(fd, request); }
  struct epoll_event events[256];
  for (double end = now() + seconds; now() < end;) {
    int n = epoll_wait(epfd, events, 256, 100);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (take(fd) > 0) continue;
      if (received[fd] == length) answers++;
      else failures++;
      close(fd);
      fd = dial();
      watch(fd);
      put(fd, request);
    }
  }
}

static void fan(int connections, int rounds, Text greeting, size_t greetingLength, Text trigger, size_t triggerLength, size_t length) {
  for (int i = 0; i < connections; i++) { int fd = dial(); greet(fd, greeting, greetingLength); watch(fd); }
  int caller = dial();
  if (triggerLength == 0) greet(caller, greeting, greetingLength);
  watch(caller);
  ready();
  struct epoll_event events[256];
  int listeners = connections + (triggerLength == 0);
  for (int round = 0; round < rounds; round++) {
    put(caller, trigger);
    int waiting = connections + 1;
    while (waiting > 0) {
      int n = epoll_wait(epfd, events, 256, 5000);
      if (n <= 0) { failures++; return; }
      for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;
        size_t wanted = fd == caller && triggerLength ? triggerLength : length;
        ssize_t got = take(fd);
        if (got == -2) continue;
        if (got <= 0) { failures++; return; }
        if (received[fd] == wanted) { received[fd] = 0; waiting--; }
      }
    }
    answers += listeners;
  }
}

int main(int argc, char **argv) {
  struct rlimit limit = {MAX_FDS, MAX_FDS};
  setrlimit(RLIMIT_NOFILE, &limit);
  if (argc < 6) return 2;
  alarm(240);
  char *mode = argv[1];
  Text none = {0, 0};
  port = atoi(argv[2]);
  int connections = atoi(argv[3]);
  epfd = epoll_create1(0);

  if (!strcmp(mode, "ask") && argc == 8) {
    ask(connections, atoi(argv[4]), atof(argv[5]), none, 0, load(argv[6], atoi(argv[4])), atol(argv[7]));
  } else if (!strcmp(mode, "once") && argc == 7) {
    once(connections, atof(argv[4]), load(argv[5], 1), atol(argv[6]));
  } else if (!strcmp(mode, "greeted") && argc == 10) {
    ask(connections, atoi(argv[4]), atof(argv[5]), load(argv[6], 1), atol(argv[7]), load(argv[8], atoi(argv[4])), atol(argv[9]));
  } else if (!strcmp(mode, "fan") && argc == 10) {
    fan(connections, atoi(argv[4]), load(argv[5], 1), atol(argv[6]), load(argv[7], 1), atol(argv[8]), atol(argv[9]));
  } else if (!strcmp(mode, "idle") && argc == 7) {
    Text greeting = load(argv[5], 1);
    for (int i = 0; i < connections; i++) { int fd = dial(); if (greeting.length) greet(fd, greeting, atol(argv[6])); }
    answers = connections;
    ready();
  } else return 2;

  printf("%ld %ld\n", answers, failures);
  waitForLine();
  return failures > 0;
}
