/**
 * Waits until each server answers, asks it what it offers (in clear, after STARTTLS, with implicit TLS), and writes
 * it all into one JSON file. No part of the package is used: the servers are looked at with other eyes.
 *
 * usage: probe.mjs RUN_DIR OUT.json NAME...
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const [run, out, ...names] = process.argv.slice(2);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One dialogue: `say` sends a line and gives back the whole reply. */
function dialogue(socket) {
  let buffered = '';
  let wake;
  const attach = (stream) => {
    stream.on('data', (data) => {
      buffered += data.toString('latin1');
      wake?.();
    });
    stream.on('error', (error) => {
      buffered = `599 ${error.message}\r\n`;
      wake?.();
    });
    stream.on('close', () => {
      buffered += '599 closed\r\n';
      wake?.();
    });
  };
  attach(socket);
  const reply = async () => {
    for (;;) {
      const whole = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/.exec(buffered)?.[0];
      if (whole !== undefined) {
        buffered = buffered.slice(whole.length);
        return whole;
      }
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    reply,
    say: (line) => {
      socket.write(`${line}\r\n`);
      return reply();
    },
    secure: (ca) =>
      new Promise((resolve, reject) => {
        socket.removeAllListeners('data');
        socket.removeAllListeners('close');
        socket = tls.connect({ socket, ca, servername: 'localhost' });
        socket.once('secureConnect', () => resolve(socket.getProtocol()));
        socket.once('error', reject);
        attach(socket);
      }),
    end: () => socket.destroy(),
  };
}

const offered = (reply) =>
  reply
    .split(/\r?\n/)
    .slice(1)
    .filter(Boolean)
    .map((line) => line.slice(4).trim().toUpperCase());
const mechanisms = (features) =>
  features
    .find((f) => /^AUTH /.test(f))
    ?.split(' ')
    .slice(1) ?? [];

async function ask(server, ca) {
  const hello = `${server.protocol === 'lmtp' ? 'LHLO' : 'EHLO'} probe.example.test`;
  const talk = dialogue(net.connect(server.port, server.host));
  const greeting = await talk.reply();
  if (!greeting.startsWith('220')) throw new Error(greeting.trim());
  const clear = offered(await talk.say(hello));
  const found = { greeting: greeting.trim(), features: { clear }, auth: { clear: mechanisms(clear) } };
  if (clear.includes('STARTTLS')) {
    await talk.say('STARTTLS');
    try {
      found.tls = await talk.secure(ca);
      found.features.tls = offered(await talk.say(hello));
      found.auth.tls = mechanisms(found.features.tls);
    } catch (error) {
      found.starttls = `broken: ${error.message}`;
    }
  }
  talk.end();
  found.implicit = await implicitTls(server, ca);
  return found;
}

async function implicitTls(server, ca) {
  const socket = net.connect(server.implicitTlsPort, server.host);
  const talk = dialogue(socket);
  try {
    await talk.secure(ca);
    return (await talk.reply()).trim();
  } catch (error) {
    return `broken: ${error.message}`;
  } finally {
    talk.end();
  }
}

/** Retried for ten seconds: servers take a moment to listen. */
async function describe(name, server) {
  if (server.skipped !== undefined) return server;
  const ca = readFileSync(server.ca);
  let last;
  for (let i = 0; i < 100; i++) {
    try {
      return { ...server, ...(await ask(server, ca)) };
    } catch (error) {
      last = error;
      await pause(100);
    }
  }
  return {
    skipped: `${name} does not answer: ${last.message}; ${readFileSync(server.log, 'utf8').slice(-1000)}`,
  };
}

/** The recipes write what they are; Dovecot is two servers. */
async function descriptors() {
  const wanted = new Set(
    names.flatMap((n) => (n === 'dovecot' ? ['dovecot-lmtp', 'dovecot-submission'] : [n])),
  );
  for (let i = 0; ; i++) {
    const files = readdirSync(run).filter((f) => f.endsWith('.json'));
    const found = Object.assign(
      {},
      ...files.map((f) => JSON.parse(readFileSync(`${run}/${f}`, 'utf8') || '{}')),
    );
    const missing = [...wanted].filter((n) => found[n] === undefined && found[n.split('-')[0]] === undefined);
    if (missing.length === 0) return found;
    if (i > 100) {
      for (const n of missing) found[n] = { skipped: `did not start: ${logOf(n).slice(-1000)}` };
      return found;
    }
    await pause(100);
  }
}

function logOf(name) {
  try {
    return readFileSync(`${run}/${name.split('-')[0]}/log`, 'utf8');
  } catch {
    return 'no log';
  }
}

const found = Object.entries(await descriptors());
const results = await Promise.all(found.map(async ([name, server]) => [name, await describe(name, server)]));
writeFileSync(out, `${JSON.stringify(Object.fromEntries(results), null, 2)}\n`);
process.exit(0);
