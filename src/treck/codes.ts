/**
 * The numbers that have names: return codes, modes, options, types, flags. The numbers are ours, those of errno where
 * it has the name; programs go by the names. Nothing here does anything.
 */

/** Done. */
export const TM_ENOERROR = 0;
/** Not allowed in this state. */
export const TM_EPERM = 1;
/** Bad handle, address or value. */
export const TM_EINVAL = 22;
/** Started and not finished: call tfSmtpUserExecute. */
export const TM_EINPROGRESS = 115;
export const TM_EISCONN = 106;
/** A reply of class 5, a login that was refused, TLS that failed. */
export const TM_ESERVERPERM = 1001;
/** A reply of class 4. */
export const TM_ESERVERTEMP = 1002;
/** A reply of a class that cannot follow; the line is closed. */
export const TM_ESERVERSYNC = 1003;
/** No reply within the session's limit; the line is closed. */
export const TM_ETIMEDOUT = 110;
/** The server closed the line. */
export const TM_ESHUTDOWN = 108;

// what sockets say, passed on
export const TM_EIO = 5;
export const TM_EACCES = 13;
export const TM_EPIPE = 32;
export const TM_ENOPROTOOPT = 92;
/** The server does not offer it, or this transport. */
export const TM_EOPNOTSUPP = 95;
export const TM_EAFNOSUPPORT = 97;
export const TM_EADDRINUSE = 98;
export const TM_EADDRNOTAVAIL = 99;
export const TM_ENETDOWN = 100;
export const TM_ENETUNREACH = 101;
export const TM_ECONNABORTED = 103;
export const TM_ECONNRESET = 104;
export const TM_ENOBUFS = 105;
export const TM_ECONNREFUSED = 111;
export const TM_EHOSTUNREACH = 113;

export const TM_BLOCKING_OFF = 0;
export const TM_BLOCKING_ON = 1;

/** The one session option: when TLS is used, if tfSmtpUserSetSsl allows it. */
export const TM_SMTP_OPT_TLSMODE = 1;
/** STARTTLS where the server lists it. */
export const TM_SMTP_TLSMODE_OPTIONAL = 0;
/** STARTTLS, listed or not. */
export const TM_SMTP_TLSMODE_ALWAYS = 1;
/** TLS from the first byte on. */
export const TM_SMTP_TLSMODE_IMPLICIT = 2;

export const TM_SMTP_RECIPIENT_TYPE_TO = 0;
export const TM_SMTP_RECIPIENT_TYPE_CC = 1;
/** In the envelope only. */
export const TM_SMTP_RECIPIENT_TYPE_BCC = 2;

/** The header stays open for the fields of tfMimeGetHeader. */
export const TM_SMTP_FLAG_MIME = 1;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOL_SOCKET = 1;
export const IPPROTO_TCP = 6;
/** Off by default. */
export const SO_KEEPALIVE = 9;
/** Octets that wait to leave, before the line says that it is full. */
export const SO_SNDBUF = 7;
/** Octets that have arrived and wait to be read, before the socket is read no more. */
export const SO_RCVBUF = 8;
/** On by default. */
export const TCP_NODELAY = 1;
/** Seconds of silence before the first probe of SO_KEEPALIVE. */
export const TCP_KEEPIDLE = 4;
