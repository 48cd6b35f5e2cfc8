import { it } from 'vitest';
import { conversations } from './conversation.ts';
it.each([
  { pipelining: true, lmtp: false, messages: 1, recipients: 2, resets: 1 },
  { pipelining: false, lmtp: false, messages: 1, recipients: 2, resets: 1 },
  { pipelining: true, lmtp: true, messages: 1, recipients: 2, resets: 1 },
  { pipelining: true, lmtp: false, messages: 2, recipients: 1, resets: 0 },
  { pipelining: true, lmtp: false, messages: 2, recipients: 1, resets: 1 },
])('x', (b) => {
  let n = 0, deep = 0;
  const t = Date.now(); const w = new Map(); const p=new Set();
  for (const c of conversations(b)) { n++; deep = Math.max(deep, c.moves.length); for (const x of c.positions) p.add(x);
    for (const x of c.server.wrongs) if (!w.has(x)) w.set(x, c.moves.join(' '));
    const last = c.events.at(-1); if (last?.name==='DISCONNECTED' && last.reason && !c.moves.includes('lost')) { const k=String(last.reason); if(!w.has(k)) w.set(k,c.moves.join(' ')); }
    if (n>60000) break; }
  console.log(b, n, deep, Date.now() - t, w, p.size);
});
