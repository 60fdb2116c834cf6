#define _GNU_SOURCE // accept4
// The floor of the benchmarks: an epoll loop with one read and one write a request and no parsing at all.
//   floor PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <stdlib.h>
#include <unistd.h>

static const char answer[] =
  "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: 11\r\n\r\nhello world";

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, ep = epoll_create1(0);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 1024)) return 1;
  struct epoll_event e = {.events = EPOLLIN, .data.fd = server}, events[64];
  epoll_ctl(ep, EPOLL_CTL_ADD, server, &e);
  char buffer[65536];
  for (;;) {
    int n = epoll_wait(ep, events, 64, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == server) {
        while ((fd = accept4(server, 0, 0, SOCK_NONBLOCK)) >= 0) {
          e.data.fd = fd;
          epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        }
      } else if (read(fd, buffer, sizeof buffer) <= 0) close(fd);
      else if (write(fd, answer, sizeof answer - 1) < 0) close(fd);
    }
  }
}
