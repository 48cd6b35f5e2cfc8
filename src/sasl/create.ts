/**
 * From a mechanism's name to the mechanism, with the credentials that it needs and no others.
 * It must not choose.
 */
import { Anonymous } from './anonymous.ts';
import { CramMd5 } from './cram-md5.ts';
import type { Credentials } from './credentials.ts';
import { External } from './external.ts';
import { Login } from './login.ts';
import { type Mechanism, type MechanismContext, SaslError } from './mechanism.ts';
import { OAuthBearer } from './oauthbearer.ts';
import { Plain } from './plain.ts';
import { Scram } from './scram.ts';
import type { Secret } from './secret.ts';
import { XOAuth2 } from './xoauth2.ts';

/**
 * A fresh mechanism for one attempt.
 * @throws SaslError where a credential is missing or cannot be used with this mechanism
 */
export function createMechanism(
  name: string,
  credentials: Credentials,
  context: MechanismContext,
): Mechanism {
  const { authzid, user } = credentials;
  switch (name) {
    case 'SCRAM-SHA-256-PLUS':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-1-PLUS':
    case 'SCRAM-SHA-1':
      return new Scram(name, { ...login(credentials), authzid }, context);
    case 'EXTERNAL':
      return new External(authzid ?? user);
    case 'OAUTHBEARER':
      return new OAuthBearer(authzid ?? bearer(credentials).user, bearer(credentials).token, context);
    case 'XOAUTH2':
      return new XOAuth2(bearer(credentials).user, bearer(credentials).token);
    case 'CRAM-MD5':
      return new CramMd5(login(credentials).user, login(credentials).password);
    case 'PLAIN':
      return new Plain(login(credentials).user, login(credentials).password, authzid);
    case 'LOGIN':
      return new Login(login(credentials).user, login(credentials).password);
    case 'ANONYMOUS':
      return new Anonymous(user);
    default:
      throw new SaslError(`the mechanism ${name} is not known`);
  }
}

function login({ user, password }: Credentials): { readonly user: string; readonly password: Secret } {
  if (user === undefined || password === undefined) throw new SaslError('a user and a password are needed');
  return { user, password };
}

function bearer({ user, token }: Credentials): { readonly user: string; readonly token: Secret } {
  if (user === undefined || token === undefined) throw new SaslError('a user and a token are needed');
  return { user, token };
}
