/** Real servers over `worker()`. */
import { worker } from 'smtpump';
import { interop } from './suite.ts';

interop(worker);
