/**
 * libcurl at work: one easy handle, so one connection, n messages one after the other.
 *
 *   curl PORT MESSAGES RECIPIENTS    prints {"messages":…,"seconds":…,"cpu":…} in seconds, of the transfers alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <curl/curl.h>
#include "peer.h"

static char *mail;
static size_t length, at;

static size_t give(char *to, size_t size, size_t count, void *nothing) {
  (void)nothing;
  size_t some = size * count < length - at ? size * count : length - at;
  memcpy(to, mail + at, some);
  at += some;
  return some;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int messages = atoi(argv[2]), recipients = atoi(argv[3]), unique = 0;
  char url[64], address[64];
  snprintf(url, sizeof url, "smtp://127.0.0.1:%s/bench.example", argv[1]);
  mail = message_of(1024);
  length = strlen(mail);
  CURL *curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<sender@bench.example>");
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  double cpu = cpu_now(), start = wall_now();
  for (int i = 0; i < messages; i++) {
    struct curl_slist *list = NULL;
    for (int j = 0; j < recipients; j++) {
      snprintf(address, sizeof address, "<recipient%d@sink.example>", unique++);
      list = curl_slist_append(list, address);
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, list);
    at = 0;
    if (curl_easy_perform(curl) != CURLE_OK) return 1;
    curl_slist_free_all(list);
  }
  return report(messages, wall_now() - start, cpu_now() - cpu);
}
