// SPDX-License-Identifier: Apache-2.0
// A provider that answers as it is told, on a free port of 127.0.0.1: for what a real one never says. POST /plan takes
//   { claims, header, key: "rsa"|"ec"|"other"|"none"|"hmac", status, body, delay, size, me, jwks: { status, keys } }
// and GET /seen gives the last requests to /token and /me. Prints its address when it serves.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair } from 'jose';

const pairs = { rsa: await generateKeyPair('RS256', { extractable: true }), ec: await generateKeyPair('ES256', { extractable: true }),
  other: await generateKeyPair('RS256', { extractable: true }) };
const keys = [
  { ...(await exportJWK(pairs.rsa.publicKey)), kid: 'rsa', use: 'sig', alg: 'RS256' },
  { ...(await exportJWK(pairs.ec.publicKey)), kid: 'ec', use: 'sig', alg: 'ES256' },
];
const pem = await exportSPKI(pairs.rsa.publicKey);
let plan = {};
let seen = {};

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function sign(header, claims) {
  const key = plan.key ?? 'rsa';
  const whole = { alg: key === 'ec' ? 'ES256' : 'RS256', kid: key === 'ec' ? 'ec' : 'rsa', typ: 'JWT', ...header };
  if (key === 'none') return `${base64({ ...whole, alg: 'none' })}.${base64(claims)}.`;
  if (key === 'hmac') {
    const input = `${base64({ ...whole, alg: 'HS256' })}.${base64(claims)}`;
    return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
  }
  return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(whole).sign(pairs[key].privateKey);
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

const routes = {
  'POST /plan': async (url, body) => { plan = JSON.parse(body); seen = {}; return { ok: true }; },
  'GET /seen': async () => seen,
  'GET /jwks': async () => ({ keys: plan.jwks?.keys ?? keys }),
  'POST /token': async (url, body) => {
    seen.token = Object.fromEntries(new URLSearchParams(body));
    return { access_token: 'the-access-token', token_type: 'Bearer', expires_in: 3600,
      ...(plan.claims ? { id_token: await sign(plan.header ?? {}, plan.claims) } : {}) };
  },
  'GET /me': async (url, body, request) => {
    seen.me = { ...Object.fromEntries(url.searchParams), authorization: request.headers.authorization };
    return plan.me ?? {};
  },
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  const route = `${request.method} ${url.pathname}`;
  const answer = await routes[route](url, await read(request), request);
  const planned = route === `${plan.at ?? 'POST /token'}`;
  if (planned && plan.delay) await new Promise((resolve) => { setTimeout(resolve, plan.delay); });
  response.writeHead(planned ? plan.status ?? 200 : 200, { 'content-type': 'application/json',
    ...(planned && plan.location ? { location: plan.location } : {}) });
  response.end(planned && plan.body !== undefined ? plan.body : planned && plan.size ? '{"a":"'.padEnd(plan.size, 'x') : JSON.stringify(answer));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
