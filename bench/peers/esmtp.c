/**
 * libESMTP at work: one session, n messages of 1 KB given as text; it pipelines, and uses BDAT where it is offered.
 *
 *   esmtp PORT MESSAGES RECIPIENTS    prints {"messages":…,"seconds":…,"cpu":…} in seconds, of the session alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <libesmtp.h>
#include "peer.h"

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int messages = atoi(argv[2]), recipients = atoi(argv[3]);
  char server[64], address[64];
  snprintf(server, sizeof server, "127.0.0.1:%s", argv[1]);
  smtp_session_t session = smtp_create_session();
  smtp_set_server(session, server);
  smtp_set_hostname(session, "bench.example");
  char *mail = message_of(1024);
  double cpu = cpu_now(), start = wall_now();
  int unique = 0;
  smtp_message_t last = NULL;
  for (int i = 0; i < messages; i++) {
    last = smtp_add_message(session);
    smtp_set_reverse_path(last, "sender@bench.example");
    smtp_set_message_str(last, mail);
    for (int j = 0; j < recipients; j++) {
      snprintf(address, sizeof address, "recipient%d@sink.example", unique++);
      smtp_add_recipient(last, address);
    }
  }
  if (!smtp_start_session(session) || smtp_message_transfer_status(last)->code != 250) return 1;
  return report(messages, wall_now() - start, cpu_now() - cpu);
}
