/** Real servers over `tcp()`. */
import { tcp } from 'smtpump';
import { interop } from './suite.ts';

interop(tcp);
