/** The charts, as published: `smtpump/machines`. */
export { connectionMachine } from './connection.ts';
export { mailMachine } from './mail.ts';
export type * from './vocabulary.ts';
