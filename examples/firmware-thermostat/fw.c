/*
 * A thermostat on an ATmega328P at its factory setting, 1 MHz: five times a second it reads a sensor of 10 mV/°C on
 * ADC0, and at 30 °C it mails an alarm through the modem on its UART, 9600 baud. Lines with `#` are for its log.
 *
 * Built by `make`, with gcc-avr and avr-libc of Debian 12.
 */
#include <avr/interrupt.h>
#include <avr/io.h>

#include "../firmware-support/mail.h"

enum { LIMIT = 30, TICKS_A_SECOND = 5, RETRY = 10 * TICKS_A_SECOND };

static volatile uint8_t ticks;

ISR(TIMER1_COMPA_vect) { ticks++; }

ISR(USART_RX_vect) { mail_receive(UDR0); }

void put(char octet) {
  while (!(UCSR0A & _BV(UDRE0)));
  UDR0 = octet;
}

static void set_up(void) {
  UBRR0 = 12; /* 9600 baud */
  UCSR0A = _BV(U2X0);
  UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
  OCR1A = 1000000 / 64 / TICKS_A_SECOND - 1;
  TCCR1B = _BV(WGM12) | _BV(CS11) | _BV(CS10);
  TIMSK1 = _BV(OCIE1A);
  ADMUX = _BV(REFS1) | _BV(REFS0); /* ADC0 against 1.1 V */
  ADCSRA = _BV(ADEN) | _BV(ADPS1) | _BV(ADPS0);
  sei();
}

static uint8_t celsius(void) {
  ADCSRA |= _BV(ADSC);
  while (ADCSRA & _BV(ADSC));
  return ((uint32_t)ADC * 110 + 512) / 1024;
}

static char report[] = "# 00 C", alarm[] = "It is 00 C.";

static void write_degrees(char *to, uint8_t degrees) {
  to[0] = '0' + degrees / 10;
  to[1] = '0' + degrees % 10;
}

int main(void) {
  uint8_t seen = 0, last = 0, mailed = 0, wait = 0;
  set_up();
  for (;;) {
    switch (mail_run()) {
      case MAIL_SENT: put_line("# mailed"); break;
      case MAIL_FAILED: mailed = 0; wait = RETRY; break;
      case MAIL_NOTHING: break;
    }
    if (seen == ticks) continue;
    seen++;
    if (wait) wait--;
    uint8_t degrees = celsius();
    if (degrees != last) {
      write_degrees(report + 2, last = degrees);
      put_line(report);
    }
    if (degrees >= LIMIT && !mailed && !wait) {
      mailed = 1;
      write_degrees(alarm + 6, degrees);
      mail_send("FROM thermostat@sender.example", "TO ann@receiver.example", "DATA Too warm", alarm);
    }
  }
}
