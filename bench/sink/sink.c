/**
 * The sink in C: an SMTP server that takes everything, keeps nothing and is never the one to be waited for. One
 * thread, one epoll, one read and one write a turn. It says what session.mjs says, so that both can stand for each other.
 *
 *   sink [chunking]    prints {"port":n}; each line on stdin is answered with the counts since the last, as JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MOST (1 << 20)
#define LINE_MOST 4096
/* stop reading a client that does not read its replies */
#define UNSENT_MOST (1 << 20)

enum reading { LINE, TEXT, CHUNK };

struct client {
  int fd;
  enum reading reading;
  bool mail, quit, last;
  unsigned watched;
  /* of a text: how much of CR LF . CR LF has been seen at the end of the last read */
  int seen;
  size_t chunk_left;
  size_t line_length;
  char line[LINE_MOST];
  char *out;
  size_t out_length, out_room, out_sent;
};

static struct { unsigned long long messages, octets, reads, trips, connections; } counts;
static const char *hello;
static char *input;
static int poller;

static void say(struct client *c, const char *text, size_t length) {
  if (c->out_length + length > c->out_room) {
    c->out_room = (c->out_length + length) * 2;
    c->out = realloc(c->out, c->out_room);
    if (c->out == NULL) abort();
  }
  memcpy(c->out + c->out_length, text, length);
  c->out_length += length;
}
#define SAY(c, text) say(c, text, sizeof(text) - 1)

static void chunk_done(struct client *c) {
  c->reading = LINE;
  if (c->last) counts.messages++;
  SAY(c, "250 2.0.0 taken\r\n");
}

static void begin_chunk(struct client *c, const char *line, size_t length) {
  c->mail = true;
  c->chunk_left = 0;
  size_t i = 5;
  for (; i < length && line[i] >= '0' && line[i] <= '9'; i++) c->chunk_left = c->chunk_left * 10 + (line[i] - '0');
  while (i < length && line[i] == ' ') i++;
  c->last = i < length && (line[i] | 0x20) == 'l';
  if (c->chunk_left == 0) chunk_done(c);
  else c->reading = CHUNK;
}

static void command(struct client *c, const char *line, size_t length) {
  switch (length > 1 ? line[0] | 0x20 : 0) {
    case 'm': c->mail = true; SAY(c, "250 2.1.0 sender ok\r\n"); return;
    case 'r':
      if ((line[1] | 0x20) == 's') { SAY(c, "250 2.0.0 reset\r\n"); return; }
      c->mail = true;
      SAY(c, "250 2.1.5 recipient ok\r\n");
      return;
    case 'd': c->mail = true; c->reading = TEXT; c->seen = 2; SAY(c, "354 go ahead\r\n"); return;
    case 'b': begin_chunk(c, line, length); return;
    case 'e': say(c, hello, strlen(hello)); return;
    case 'h': case 'n': SAY(c, "250 sink.example\r\n"); return;
    case 'q': c->quit = true; SAY(c, "221 2.0.0 bye\r\n"); return;
    default: SAY(c, "500 5.5.1 what?\r\n");
  }
}

/* How far the text goes in these bytes; sets *ended. */
static size_t text(struct client *c, const char *at, size_t length, bool *ended) {
  static const char end[] = "\r\n.\r\n";
  *ended = true;
  /* the end may lie across two reads */
  size_t i = 0;
  for (; c->seen > 0 && i < length && i < 5; i++) {
    if (at[i] == end[c->seen]) {
      if (++c->seen == 5) { c->seen = 0; return i + 1; }
    } else c->seen = at[i] == '\r';
  }
  if (i == length) { *ended = false; return length; }
  c->seen = 0;
  const char *found = memmem(at, length, end, 5);
  if (found != NULL) return (size_t)(found - at) + 5;
  *ended = false;
  for (int tail = 4; tail > 0; tail--) {
    if (length >= (size_t)tail && memcmp(at + length - tail, end, tail) == 0) { c->seen = tail; break; }
  }
  return length;
}

static void take(struct client *c, const char *at, size_t left) {
  while (left > 0) {
    if (c->reading == LINE) {
      const char *lf = memchr(at, '\n', left);
      size_t length = lf == NULL ? left : (size_t)(lf - at) + 1;
      if (lf != NULL && c->line_length == 0) command(c, at, length);
      else {
        if (c->line_length + length > LINE_MOST) { c->quit = true; return; }
        memcpy(c->line + c->line_length, at, length);
        c->line_length += length;
        if (lf != NULL) { size_t whole = c->line_length; c->line_length = 0; command(c, c->line, whole); }
      }
      at += length; left -= length;
    } else if (c->reading == TEXT) {
      bool ended;
      size_t length = text(c, at, left, &ended);
      counts.octets += length;
      c->mail = true;
      at += length; left -= length;
      if (ended) { c->reading = LINE; counts.messages++; SAY(c, "250 2.0.0 taken\r\n"); }
    } else {
      size_t length = left < c->chunk_left ? left : c->chunk_left;
      counts.octets += length;
      c->mail = true;
      c->chunk_left -= length;
      at += length; left -= length;
      if (c->chunk_left == 0) chunk_done(c);
    }
  }
}

static void drop(struct client *c) {
  close(c->fd);
  free(c->out);
  free(c);
}

static void watch(struct client *c, unsigned wanted) {
  if (c->watched == wanted) return;
  c->watched = wanted;
  struct epoll_event event = {.events = wanted, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

/* false: the client is gone */
static bool flush(struct client *c) {
  while (c->out_sent < c->out_length) {
    ssize_t sent = write(c->fd, c->out + c->out_sent, c->out_length - c->out_sent);
    if (sent < 0 && errno == EAGAIN) {
      watch(c, c->out_length - c->out_sent > UNSENT_MOST ? EPOLLOUT : EPOLLIN | EPOLLOUT);
      return true;
    }
    if (sent < 0) return false;
    c->out_sent += (size_t)sent;
  }
  c->out_length = c->out_sent = 0;
  watch(c, EPOLLIN);
  return !c->quit;
}

static void serve(struct client *c, unsigned events) {
  if ((events & EPOLLOUT) && !flush(c)) return drop(c);
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t got = read(c->fd, input, READ_MOST);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return drop(c);
  counts.reads++;
  take(c, input, (size_t)got);
  if (c->mail && c->out_length > 0) { counts.trips++; c->mail = false; }
  if (!flush(c)) drop(c);
}

static void welcome(int server) {
  int fd = accept4(server, NULL, NULL, SOCK_NONBLOCK);
  if (fd < 0) return;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct client *c = calloc(1, sizeof *c);
  if (c == NULL) abort();
  c->fd = fd;
  c->watched = EPOLLIN;
  counts.connections++;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  SAY(c, "220 sink.example ESMTP\r\n");
  if (!flush(c)) drop(c);
}

static void report(void) {
  char line[256];
  if (read(0, line, sizeof line) <= 0) exit(0);
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = used.ru_utime.tv_sec * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_sec * 1e6 + used.ru_stime.tv_usec;
  printf("{\"messages\":%llu,\"octets\":%llu,\"reads\":%llu,\"trips\":%llu,\"connections\":%llu,\"cpu\":%.0f}\n",
         counts.messages, counts.octets, counts.reads, counts.trips, counts.connections, cpu);
  fflush(stdout);
  memset(&counts, 0, sizeof counts);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  bool chunking = argc > 1 && strcmp(argv[1], "chunking") == 0;
  hello = chunking ? "250-sink.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-SIZE 2147483647\r\n250 8BITMIME\r\n"
                   : "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 2147483647\r\n250 8BITMIME\r\n";
  input = malloc(READ_MOST);
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (input == NULL || server < 0 || bind(server, (struct sockaddr *)&address, size) != 0 || listen(server, 1024) != 0) {
    perror("sink");
    return 1;
  }
  getsockname(server, (struct sockaddr *)&address, &size);
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  /* two that are no clients are told by their addresses */
  static char server_tag, stdin_tag;
  event.data.ptr = &server_tag;
  epoll_ctl(poller, EPOLL_CTL_ADD, server, &event);
  event.data.ptr = &stdin_tag;
  epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[64];
    int ready = epoll_wait(poller, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.ptr == &server_tag) welcome(server);
      else if (events[i].data.ptr == &stdin_tag) report();
      else serve(events[i].data.ptr, events[i].events);
    }
  }
}
