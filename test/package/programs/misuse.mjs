// @ts-nocheck: what it does is refused by the types
/** Misuses each entry of the package, and prints whether the error is of the class that the first one exports. */
import { SmtpClient, SmtpUsageError } from 'smtpump';
import { BlockingClient } from 'smtpump/blocking';
import { connect } from 'smtpump/promises';
import { SimNetwork, VirtualClock } from 'smtpump/testing';

const misuses = [
  () => new SmtpClient(0),
  () => new BlockingClient(0),
  () => connect(0),
  () => new SimNetwork({ clock: new VirtualClock() }).restore(0),
];

for (const misuse of misuses) {
  try {
    await misuse();
    console.log('it was taken');
  } catch (error) {
    console.log(error instanceof SmtpUsageError, error.constructor.name);
  }
}
