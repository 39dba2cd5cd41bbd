// oauth4webapi (certified), the low-level library, as an app: every answer is
// processed by hand and checked strictly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as oauth from 'oauth4webapi';
import { Browser, signIn } from './browser.mjs';
import { client as devClient, dev, issuer, person } from './world.mjs';

const insecure = { [oauth.allowInsecureRequests]: true }; // dev speaks http on this machine

async function server() {
  const res = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure });
  return oauth.processDiscoveryResponse(issuer, res);
}

async function login(as, client, auth, redirect, scope) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: redirect, response_type: 'code', scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const who = person();
  const callback = await signIn(new Browser(redirect), url, who);
  const params = oauth.validateAuthResponse(as, client, callback, state);
  const res = await oauth.authorizationCodeGrantRequest(as, client, auth, params, redirect, verifier, insecure);
  assert.match(res.headers.get('cache-control'), /no-store/);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, res, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, res, insecure);
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens), who };
}

test('both discovery documents are valid and the same', async () => {
  const as = await server();
  const res = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  assert.deepEqual(await oauth.processDiscoveryResponse(issuer, res), as);
});

test('a public client: code, PKCE, userinfo, refresh, revocation', async () => {
  const as = await server();
  const client = { client_id: 'demo-native', id_token_signed_response_alg: 'ES256' };
  const { tokens, claims, who } = await login(as, client, oauth.None(), 'http://127.0.0.1:54322/callback', 'openid email offline_access');

  const info = await oauth.processUserInfoResponse(as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, insecure));
  assert.equal(info.email, who.email);

  const refreshed = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, insecure);
  const fresh = await oauth.processRefreshTokenResponse(as, client, refreshed);
  await oauth.validateApplicationLevelSignature(as, refreshed, insecure);
  assert.notEqual(fresh.refresh_token, tokens.refresh_token);
  assert.equal(oauth.getValidatedIdTokenClaims(fresh).sub, claims.sub);

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), fresh.refresh_token, insecure));
  const late = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), fresh.refresh_token, insecure);
  await assert.rejects(oauth.processRefreshTokenResponse(as, client, late), { error: 'invalid_grant', status: 400 });
});

test('a confidential client: access token by RFC 9068, introspection', async () => {
  const as = await server();
  const { id, secret, redirect_uris: [redirect] } = devClient('demo-web');
  const client = { client_id: id, id_token_signed_response_alg: 'ES256' };
  const auth = oauth.ClientSecretBasic(secret);
  const { tokens, claims } = await login(as, client, auth, redirect, 'openid profile organization roles');
  assert.equal(tokens.refresh_token, undefined, 'no offline_access, no refresh token');
  assert.equal(claims.org, 'acme');
  assert.deepEqual(claims.roles, ['user']);

  const [head] = tokens.access_token.split('.');
  assert.equal(JSON.parse(Buffer.from(head, 'base64url')).typ, 'at+jwt');
  const request = new Request(dev.issuer, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const body = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url'));
  const audience = [body.aud].flat()[0];
  const access = await oauth.validateJwtAccessToken(as, request, audience, insecure);
  assert.equal(access.sub, claims.sub);
  assert.equal(access.client_id, id);

  const res = await oauth.introspectionRequest(as, client, auth, tokens.access_token, insecure);
  const seen = await oauth.processIntrospectionResponse(as, client, res);
  assert.equal(seen.active, true);
  assert.equal(seen.sub, claims.sub);
});

test('challenges and errors are well formed', async () => {
  const as = await server();
  const client = { client_id: 'demo-native' };
  await assert.rejects(
    async () => oauth.processUserInfoResponse(as, client, 'x', await oauth.userInfoRequest(as, client, 'not-a-token', insecure)),
    (e) => e instanceof oauth.WWWAuthenticateChallengeError && e.cause[0].scheme === 'bearer' && e.cause[0].parameters.error === 'invalid_token');
  const { id } = devClient('demo-web');
  const res = await oauth.clientCredentialsGrantRequest(as, { client_id: id }, oauth.ClientSecretBasic('wrong'), {}, insecure);
  await assert.rejects(oauth.processClientCredentialsResponse(as, { client_id: id }, res),
    (e) => e.cause?.[0]?.scheme === 'basic' || e.error === 'invalid_client');
});
