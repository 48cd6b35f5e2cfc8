/*
 * The firmware's half of the line protocol: one mail, one line after the other, never waiting. It knows no chip.
 *
 * The board has `put()`, gives each octet that it receives to `mail_receive()`, from its interrupt if it likes, and
 * calls `mail_run()` as often as its main loop comes round. Each line is answered by `OK` or by `ERR code text`; after
 * an ERR the firmware hangs up.
 */
#include <stdint.h>

void put(char octet);

enum mail_outcome { MAIL_NOTHING, MAIL_SENT, MAIL_FAILED };

static const char *mail_lines[7]; /* CONNECT … QUIT */
static uint8_t mail_at = 7;       /* which of them waits for its answer; 7: none */
static uint8_t mail_failed;

static volatile char mail_heard[32]; /* a ring, between the interrupt and the main loop */
static volatile uint8_t mail_in;
static uint8_t mail_out;

static void put_line(const char *text) {
  while (*text) put(*text++);
  put('\r');
  put('\n');
}

static void mail_send(const char *from, const char *to, const char *data, const char *text) {
  const char *const lines[7] = {"CONNECT", from, to, data, text, ".", "QUIT"};
  for (uint8_t i = 0; i < 7; i++) mail_lines[i] = lines[i];
  mail_at = mail_failed = 0;
  put_line(mail_lines[0]);
}

static uint8_t mail_busy(void) { return mail_at < 7; }

static void mail_receive(char octet) { mail_heard[mail_in++ % sizeof mail_heard] = octet; }

/* An answer is told by its first letter. */
static enum mail_outcome mail_answered(char first) {
  if (mail_at < 6 && first != 'O') {
    mail_failed = 1;
    mail_at = 5;
  }
  if (++mail_at == 7) return mail_failed ? MAIL_FAILED : MAIL_SENT;
  put_line(mail_lines[mail_at]);
  return MAIL_NOTHING;
}

static enum mail_outcome mail_run(void) {
  static char first;
  while (mail_out != mail_in) {
    char octet = mail_heard[mail_out++ % sizeof mail_heard];
    if (octet == '\n') {
      char answer = first;
      first = 0;
      if (mail_busy()) return mail_answered(answer);
    } else if (!first) {
      first = octet;
    }
  }
  return MAIL_NOTHING;
}
