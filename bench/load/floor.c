#define _GNU_SOURCE // accept4
// The floor of the benchmarks: an epoll loop with one read and one write a request and no parsing at all; what it costs
// is what the kernel costs. It knows by a look at a few bytes whether to close, and who is a stream or sends to streams.
//   floor PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_FDS 70000

static const char answer[] =
  "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: 11\r\n\r\nhello world";
static const char stream[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
static const char event[] =
  "event: message\nid: 1\ndata: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n\n";

static int streams[MAX_FDS], place[MAX_FDS], count;

static void leave(int fd) {
  if (place[fd]) { // the last one takes its place
    int last = streams[--count];
    streams[place[fd] - 1] = last;
    place[last] = place[fd];
    place[fd] = 0;
  }
  close(fd);
}

static void serve(int fd) {
  static char buffer[65536];
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n <= 0) { leave(fd); return; }
  if (n > 12 && !memcmp(buffer, "GET /publish", 12)) {
    for (int i = 0; i < count; i++) if (write(streams[i], event, sizeof event - 1) < 0) return;
  } else if (n > 8 && !memcmp(buffer, "GET /sse", 8)) {
    streams[count++] = fd;
    place[fd] = count;
    if (write(fd, stream, sizeof stream - 1) < 0) leave(fd);
    return;
  }
  if (write(fd, answer, sizeof answer - 1) < 0 || (n > 9 && !memcmp(buffer + n - 9, "close\r\n\r\n", 9))) leave(fd);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max < MAX_FDS ? limit.rlim_max : MAX_FDS;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, ep = epoll_create1(0);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 1024)) return 1;
  struct epoll_event e = {.events = EPOLLIN, .data.fd = server}, events[64];
  epoll_ctl(ep, EPOLL_CTL_ADD, server, &e);
  for (;;) {
    int n = epoll_wait(ep, events, 64, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd != server) { serve(fd); continue; }
      while ((fd = accept4(server, 0, 0, SOCK_NONBLOCK)) >= 0) {
        e.data.fd = fd;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
      }
    }
  }
}
