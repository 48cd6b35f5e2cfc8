/** The steps that a server answers, in the order of a session: for tests that try each of them. */
export const answeredSteps = [
  'connect',
  'sendSender',
  'sendRecipient',
  'sendBom',
  'sendBody',
  'sendEom',
  'reset',
  'noop',
] as const;
