/** All codes of errors: a record of each union, so that the compiler misses one that is not here. */
import type { ErrorCode, UsageCode } from 'smtpump';

/** Those that are thrown. */
export const usageCodes: Readonly<Record<UsageCode, true>> = {
  EINVAL: true,
  EPERM: true,
  EISCONN: true,
  ENOTCONN: true,
  EUNSUPPORTED: true,
};

/** Those that events carry. */
export const failureCodes: Readonly<Record<Exclude<ErrorCode, Exclude<UsageCode, 'EUNSUPPORTED'>>, true>> = {
  EUNSUPPORTED: true,
  ESERVERPERM: true,
  ESERVERTEMP: true,
  ESERVERSYNC: true,
  ETIMEDOUT: true,
  ESHUTDOWN: true,
  ECONNECTION: true,
  ETLS: true,
  EAUTH: true,
  EABORTED: true,
};

// the keys of both are codes
export const errorCodes = Object.keys({ ...usageCodes, ...failureCodes }) as ErrorCode[];
