/**
 * The words that the charts are walked with, and the effects that they answer with. Types only.
 * A word is an event's type and its few facts; whatever needs a count or a text is decided before a word is chosen.
 */

/** When TLS is used: never, where offered, by STARTTLS even if not offered, or from the first byte on. */
export type TlsPolicy = 'never' | 'optional' | 'always' | 'implicit';

/** The steps of the caller that a refusal can answer: names of client methods. */
export type Step =
  | 'connect'
  | 'sendSender'
  | 'sendRecipient'
  | 'sendBom'
  | 'sendBody'
  | 'sendEom'
  | 'reset'
  | 'noop'
  | 'disconnect'
  | 'abort';

/** What a connection is to be like; carried by `step.connect` and kept as the chart's context. */
export interface ConnectionPolicy {
  readonly tls: TlsPolicy;
  /** Credentials are configured. */
  readonly auth: boolean;
  /** The credentials include a token that must be asked for first. */
  readonly token: boolean;
  readonly lmtp: boolean;
}

export type ConnectionWord =
  // steps of the caller
  | ({ readonly type: 'step.connect' } & ConnectionPolicy)
  /** May a message be begun or gone on with? */
  | { readonly type: 'step.message' }
  | { readonly type: 'step.noop' }
  | { readonly type: 'step.reset' }
  /** `open`: the content of a message stands open on the wire, so that QUIT would be taken for text. */
  | { readonly type: 'step.disconnect'; readonly open: boolean }
  | { readonly type: 'step.abort' }
  // answers of the server and of the transport
  | { readonly type: 'opened' }
  | { readonly type: 'secured' }
  | { readonly type: 'secure.failed' }
  | { readonly type: 'greeting.ok' }
  | { readonly type: 'greeting.refused' }
  /** `starttls`: offered; `auth`: a mechanism is offered that may be used on this line. */
  | { readonly type: 'ehlo.ok'; readonly starttls: boolean; readonly auth: boolean }
  /** `helo`: the server does not know EHLO (500, 501, 502, 504), so HELO may be tried. */
  | { readonly type: 'ehlo.refused'; readonly helo: boolean }
  | { readonly type: 'helo.ok' }
  | { readonly type: 'helo.refused' }
  | { readonly type: 'starttls.ok' }
  | { readonly type: 'starttls.refused' }
  | { readonly type: 'token.ready' }
  | { readonly type: 'token.failed' }
  | { readonly type: 'auth.challenge' }
  /** The challenge is malformed or not to be trusted. */
  | { readonly type: 'auth.invalid' }
  | { readonly type: 'auth.ok' }
  /** The server accepted, but has not proved that it knows the credentials. */
  | { readonly type: 'auth.unproved' }
  /** `more`: another mechanism is left. */
  | { readonly type: 'auth.refused'; readonly more: boolean }
  | { readonly type: 'auth.deferred' }
  | { readonly type: 'noop.ok' }
  | { readonly type: 'noop.refused' }
  | { readonly type: 'reset.ok' }
  | { readonly type: 'reset.refused' }
  /** An RSET of the client's own was answered. */
  | { readonly type: 'cleared' }
  | { readonly type: 'quit.answered' }
  // facts
  /** A message that was taken back turned out to stand open on the wire. */
  | { readonly type: 'stuck' }
  /** `quit`: only the answer to QUIT was still due. */
  | { readonly type: 'lost'; readonly quit: boolean }
  | { readonly type: 'timeout' }
  /** The server said 421: nothing more may be written. */
  | { readonly type: 'shutdown' }
  | { readonly type: 'violation' }
  /** The line is down and all that happened before has been told. */
  | { readonly type: 'closed' };

export type MailWord =
  // steps of the caller
  | { readonly type: 'step.sender' }
  | { readonly type: 'step.recipient' }
  | { readonly type: 'step.bom' }
  | { readonly type: 'step.eom' }
  | { readonly type: 'step.reset' }
  /** The caller disconnects; a message that has not ended will not be sent. */
  | { readonly type: 'step.leave' }
  /** May the next message begin? */
  | { readonly type: 'step.next' }
  // answers of the server, chosen by the ledger's counts
  | { readonly type: 'mail.ok' }
  | { readonly type: 'mail.refused' }
  /** MAIL was refused only because it came behind another message that was not answered yet. */
  | { readonly type: 'mail.tooEarly' }
  /** An answer to what had left behind such a MAIL: it says nothing of the message. */
  | { readonly type: 'in.vain' }
  | { readonly type: 'rcpt.ok' }
  | { readonly type: 'rcpt.refused' }
  /** 354, and at least one recipient was accepted. */
  | { readonly type: 'data.go' }
  /** 354, though no recipient was accepted. */
  | { readonly type: 'data.goNobody' }
  | { readonly type: 'data.refused' }
  /** All recipients are answered and none is left, so DATA was refused or need not be sent. */
  | { readonly type: 'data.nobody' }
  /** CHUNKING is used and all recipients are answered: content needs no 354. */
  | { readonly type: 'chunking' }
  | { readonly type: 'chunk.ok' }
  | { readonly type: 'chunk.refused' }
  /** LMTP: the verdict for one recipient. After the last one follows `content.ok` or `verdicts.none`. */
  | { readonly type: 'verdict.ok' }
  | { readonly type: 'verdict.refused' }
  | { readonly type: 'verdicts.none' }
  /** The server has the message, or has refused it. */
  | { readonly type: 'content.ok' }
  | { readonly type: 'content.refused' }
  // raised by the chart itself: the caller took back what had not ended
  | { readonly type: 'taken.reset' }
  | { readonly type: 'taken.leave' }
  // facts
  /** The server does not offer what the message needs; nothing of it has left. */
  | { readonly type: 'mail.unsupported' }
  | { readonly type: 'rcpt.unsupported' }
  /** The end of the message is on the wire. */
  | { readonly type: 'end.left' }
  /** No answer is due any more for a message that failed or was taken back. */
  | { readonly type: 'settled' }
  | { readonly type: 'lost' };

/** What the connection chart wants done; only the core carries it out. */
export type ConnectionDeed =
  | { readonly do: 'open' }
  | { readonly do: 'expectGreeting' }
  | {
      readonly do: 'send';
      readonly command: 'EHLO' | 'LHLO' | 'HELO' | 'STARTTLS' | 'NOOP' | 'RSET' | 'QUIT';
    }
  | { readonly do: 'secure' }
  | { readonly do: 'fetchToken' }
  /** Begin the next mechanism. */
  | { readonly do: 'login' }
  /** Answer the challenge at hand. */
  | { readonly do: 'respond' }
  | { readonly do: 'cancelLogin' }
  /** From now on messages may leave. */
  | { readonly do: 'admit' }
  /** The login failed for good: no limit runs any more. */
  | { readonly do: 'giveUpConnecting' }
  | { readonly do: 'close'; readonly graceful: boolean }
  /** Why the connection ends; the first one stands. */
  | { readonly do: 'blame'; readonly on: Blame }
  /** Legal, and nothing to do. */
  | { readonly do: 'nothing' };

/** Whose fault an ending is; the core makes the error of it, with the reply or the cause at hand. */
export type Blame = 'caller' | 'line' | 'reply' | 'tls' | 'time' | 'protocol' | 'shutdown';

/** What a mail chart wants done. */
export type MailDeed =
  | { readonly do: 'send'; readonly command: 'MAIL' | 'RCPT' | 'DATA' | 'END' }
  /** Drop what waits of this message and has not left. */
  | { readonly do: 'forget' }
  /** End content that must be ended though there is none. */
  | { readonly do: 'dot' }
  /** The server may still hold the transaction: RSET before the next one. */
  | { readonly do: 'spoil' }
  /** What waits of this message waits no more, but its content is kept. */
  | { readonly do: 'recall' }
  /** Everything of this message that has left must leave once more. */
  | { readonly do: 'again' }
  /** The server asks for the content of a message that it has refused: it broke the protocol. */
  | { readonly do: 'accuse' }
  /** The content cannot be taken back: the line must go. */
  | { readonly do: 'drop' }
  | { readonly do: 'nothing' };

/** What the caller is to be told; `REFUSED` becomes SERVER_ERROR or SERVER_RETRY by the reply at hand. */
export type Notice =
  | { readonly tell: 'REFUSED'; readonly step: Step }
  | {
      readonly tell:
        | 'CONNECTED'
        | 'SECURE_OK'
        | 'SECURE_FAIL'
        | 'AUTH_OK'
        | 'AUTH_FAIL'
        | 'NOOP_ACK'
        | 'RESET'
        | 'TIMEOUT'
        | 'DISCONNECTED'
        | 'SENDER_ACK'
        | 'RECIPIENT_ACK'
        | 'BOM_ACK'
        | 'EOM_ACK';
    };

/** Tags by which the core and the client read a position without naming its state. */
export type ConnectionTag =
  | 'public:disconnected'
  | 'public:connecting'
  | 'public:ready'
  | 'public:closing'
  /** Messages may leave. */
  | 'open'
  /** Something other than a reply is awaited, and what an error of that time says. */
  | 'awaits:connect'
  | 'awaits:tls'
  | 'awaits:auth';

export type MailTag =
  | 'public:sender'
  | 'public:recipients'
  | 'public:body'
  | 'public:sent'
  /** Body bytes may be given. */
  | 'contentOpen'
  /** Steps are accepted and come to nothing, for the message has failed. */
  | 'swallowing'
  /** Content after a 354 stands open: whatever is written is text until its end. */
  | 'text'
  /** Waits for the answers that are still due, then `settled`. */
  | 'settling'
  /** MAIL came too early: what is still answered was in vain. */
  | 'retreating'
  /** The outcome stands; it is the other tag. */
  | 'over'
  | Outcome;

/** How a message ended. `unknown`: its end has left and no verdict came. */
export type Outcome = 'delivered' | 'refused' | 'withdrawn' | 'unsent' | 'unknown';
