// SPDX-License-Identifier: Apache-2.0
// A real OpenID provider (oidc-provider) in Google's place, on a free port of 127.0.0.1: it holds us to PKCE, to the exact
// callback address, to the client's secret and to codes that work once. Who signs in as NAME@HOST has that address; verified
// unless NAME begins with "unverified". Prints its issuer when it serves.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const [callback] = process.argv.slice(2);
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: 'first', use: 'sig', alg: 'RS256' };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'town', client_secret: 'the-secret-of-the-town', redirect_uris: [callback], grant_types: ['authorization_code'],
      response_types: ['code'], token_endpoint_auth_method: 'client_secret_post',
    }],
    jwks: { keys: [key] },
    cookies: { keys: ['for the tests'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    // Google puts the claims into the ID token, too
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified'), name: 'Alex Marsh' }),
    }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
process.on('SIGTERM', () => process.exit(0));
