/**
 * A client between two turns as plain JSON, and back: its connection, its transport, its crank, and where it connected
 * to. No secret and no option is in it, but for a target that `connect()` was given. It knows no step.
 */
import type { Connection } from '../core/connection.ts';
import { loadConnection, type SavedConnection, saveConnection } from '../core/saving.ts';
import { SmtpUsageError } from '../errors.ts';
import { fromJson, type Json, restoring, seal, toJson, unseal } from '../json.ts';
import { type SmtpClientOptions, settingsFor, type TargetOptions } from '../options.ts';
import type { Crank } from './crank.ts';

interface SavedClient {
  readonly core: SavedConnection;
  readonly crank: ReturnType<Crank['save']>;
  readonly target: SavedTarget | undefined;
}

type SavedTarget = ReturnType<typeof saveTarget>;

/** Throws SmtpUsageError EPERM for a client that cannot be saved. */
export function saveClient(crank: Crank, target: TargetOptions | undefined, streaming: boolean): Json {
  const { core, transport, clock } = crank;
  if (crank.turning) throw refused('a listener cannot save its client: do it when execute() has returned');
  if (streaming) throw refused('a bodyStream() cannot be saved: let it end, or use sendBody()');
  if (transport.save === undefined) {
    const hint = 'use memory() of smtpump/testing, or disconnect and connect again';
    throw refused(`a connection over a real socket cannot be saved, its other end goes on: ${hint}`);
  }
  const login = core.opening.login;
  const saved = {
    core: saveConnection(core, clock.now()),
    crank: crank.save(),
    target: target && saveTarget(target),
  };
  return seal('client', {
    client: toJson(saved),
    transport: transport.save([...(login?.secrets ?? []), ...core.formerSecrets]),
  });
}

/**
 * Puts what was saved into a new client, and gives the target back.
 * @throws SmtpUsageError EINVAL, EPERM
 */
export function restoreClient(
  json: Json,
  crank: Crank,
  options: SmtpClientOptions,
  given: TargetOptions,
): TargetOptions | undefined {
  const { core, transport, clock } = crank;
  const content = unseal('client', json) as { readonly client: Json; readonly transport: Json } & Json;
  if (transport.restore === undefined)
    throw refused('a client is restored on a transport like the one it was saved on');
  // what is sealed was made by saveClient
  const saved = fromJson(content.client) as SavedClient;
  const target = saved.target && targetAgain(saved.target, given);
  return restoring('client', () => {
    if (target !== undefined) core.settings = settingsFor(options, target);
    loadConnection(core, saved.core, clock.now());
    transport.restore?.(content.transport, () => secretsOf(core));
    crank.load(saved.crank);
    return target;
  });
}

function secretsOf({ opening: { login } }: Connection): readonly Uint8Array[] {
  login?.revive();
  return login?.secrets ?? [];
}

/** Without what may be secret, or not plain: that is only named. */
function saveTarget({ auth, tlsOptions, ...plain }: TargetOptions) {
  return { ...plain, gave: { auth: auth !== undefined, tlsOptions: tlsOptions !== undefined } };
}

function targetAgain({ gave, ...plain }: SavedTarget, given: TargetOptions): TargetOptions {
  for (const key of ['auth', 'tlsOptions'] as const) {
    if (gave[key] && given[key] === undefined) {
      throw new SmtpUsageError(
        'EINVAL',
        'connect() was given it, and it is not saved: give it again',
        `target.${key}`,
      );
    }
  }
  return { ...plain, ...given };
}

function refused(message: string): SmtpUsageError {
  return new SmtpUsageError('EPERM', message);
}
