/*
 * A freezer's door on an RP2040: it sleeps, and is woken once a second by its timer and by what arrives on its UART.
 * Where the contact on GPIO15 has been open for two seconds it mails an alarm. Lines with `#` are for its log.
 *
 * Built by `make`, with gcc-arm-none-eabi of Debian 12. It starts from its vector table in flash: there is no
 * second-stage boot loader and no set-up of the clocks in it, which a simulator does not need and a board does.
 */
#include <stdint.h>

#include "../firmware-support/mail.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define PAD_GPIO15 REGISTER(0x4001c040)
#define UART_DATA REGISTER(0x40034000)
#define UART_FLAGS REGISTER(0x40034018)
#define UART_LINE REGISTER(0x4003402c)
#define UART_CONTROL REGISTER(0x40034030)
#define UART_INTERRUPTS REGISTER(0x40034038)
#define ALARM REGISTER(0x40054010)
#define TIMER REGISTER(0x40054028)
#define TIMER_RAISED REGISTER(0x40054034)
#define TIMER_INTERRUPTS REGISTER(0x40054038)
#define GPIO_IN REGISTER(0xd0000004)
#define NVIC_ENABLE REGISTER(0xe000e100)

enum { SECOND = 1000000, LIMIT = 2, RETRY = 10 };
enum { TIMER_IRQ = 0, UART_IRQ = 20 };
enum { RX_EMPTY = 1 << 4, TX_FULL = 1 << 5, RX_INTERRUPT = 1 << 4 };

static volatile uint32_t seconds;

static void on_timer(void) {
  TIMER_RAISED = 1;
  ALARM += SECOND;
  seconds++;
}

static void on_uart(void) {
  while (!(UART_FLAGS & RX_EMPTY)) mail_receive(UART_DATA);
}

void put(char octet) {
  while (UART_FLAGS & TX_FULL);
  UART_DATA = octet;
}

static void set_up(void) {
  PAD_GPIO15 = 1 << 6; /* an input */
  UART_LINE = 3 << 5 | 1 << 4; /* 8 bits, FIFOs */
  UART_CONTROL = 1 << 9 | 1 << 8 | 1;
  UART_INTERRUPTS = RX_INTERRUPT;
  TIMER_INTERRUPTS = 1;
  ALARM = TIMER + SECOND;
  NVIC_ENABLE = 1 << TIMER_IRQ | 1 << UART_IRQ;
}

static void on_reset(void) {
  extern uint32_t data_start, data_end, data_image, bss_end;
  uint32_t *to = &data_start;
  for (const uint32_t *from = &data_image; to < &data_end;) *to++ = *from++;
  while (to < &bss_end) *to++ = 0;

  uint32_t seen = 0, open = 0, mailed = 0, wait = 0;
  set_up();
  for (;;) {
    switch (mail_run()) {
      case MAIL_SENT: put_line("# mailed"); break;
      case MAIL_FAILED: mailed = 0; wait = RETRY; break;
      case MAIL_NOTHING: break;
    }
    if (seen == seconds) {
      __asm volatile("wfe"); /* not wfi: an interrupt since the look at the clock counts */
      continue;
    }
    seen++;
    if (wait) wait--;
    open = GPIO_IN & 1 << 15 ? open + 1 : 0;
    if (open) put_line("# open");
    if (open >= LIMIT && !mailed && !wait) {
      mailed = 1;
      mail_send("FROM freezer@sender.example", "TO ann@receiver.example", "DATA Door", "The door is open.");
    }
  }
}

extern uint32_t stack_top;
__attribute__((section(".vectors"))) void (*const vectors[16 + 32])(void) = {
    [0] = (void (*)(void)) & stack_top,
    [1] = on_reset,
    [16 + TIMER_IRQ] = on_timer,
    [16 + UART_IRQ] = on_uart,
};
