/** What the peers in C share: the clocks, the message and the report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double wall_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu_now(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* header and lines of 76, so many octets in all */
static char *message_of(size_t octets) {
  static const char header[] =
      "From: sender@bench.example\r\nTo: recipient0@sink.example\r\nSubject: A message of one kilobyte\r\n"
      "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: <0123456789abcdef@bench.example>\r\n\r\n";
  char *mail = malloc(octets + 1);
  if (mail == NULL) abort();
  memset(mail, 'x', octets);
  memcpy(mail, header, sizeof header - 1);
  for (size_t i = sizeof header + 75; i + 4 < octets; i += 78) memcpy(mail + i, "\r\n", 2);
  memcpy(mail + octets - 2, "\r\n", 3);
  return mail;
}

static int report(int messages, double seconds, double cpu) {
  printf("{\"messages\":%d,\"seconds\":%f,\"cpu\":%f}\n", messages, seconds, cpu);
  return 0;
}
