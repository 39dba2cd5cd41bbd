// openid-client (certified) as an app.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as oidc from 'openid-client';
import { Browser, signIn } from './browser.mjs';
import { client, dev, issuer, person } from './world.mjs';

const insecure = { execute: [oidc.allowInsecureRequests] }; // dev speaks http on this machine

async function login(config, redirect, extra = {}, browser = new Browser(redirect), who = person()) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect, scope: 'openid email profile offline_access', state, nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...extra,
  });
  const callback = await signIn(browser, url, who);
  // Checks state, iss (RFC 9207), the ID token's signature, claims and nonce.
  const tokens = await oidc.authorizationCodeGrant(config, callback, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
  return { tokens, callback, verifier, state, nonce, browser, who };
}

function native() {
  return oidc.discovery(issuer, 'demo-native', { id_token_signed_response_alg: 'ES256' }, oidc.None(), insecure);
}

function web() {
  const { id, secret } = client('demo-web');
  return oidc.discovery(issuer, id, { id_token_signed_response_alg: 'ES256' }, oidc.ClientSecretBasic(secret), insecure);
}

test('discovery says what the library needs', async () => {
  const meta = (await native()).serverMetadata();
  assert.equal(meta.issuer, dev.issuer);
  assert.equal(meta.authorization_response_iss_parameter_supported, true);
  assert.ok(meta.supportsPKCE('S256'));
  for (const name of ['authorization', 'token', 'userinfo', 'introspection', 'revocation', 'end_session']) {
    assert.ok(meta[`${name}_endpoint`]?.startsWith(`${dev.issuer}/`), name);
  }
});

test('a native app: code, PKCE, userinfo, rotation', async () => {
  const config = await native();
  oidc.enableNonRepudiationChecks(config); // signatures of ID tokens are checked by key, always
  const { tokens, who } = await login(config, 'http://127.0.0.1:54321/callback');
  const claims = tokens.claims();
  assert.equal(tokens.token_type, 'bearer');
  assert.ok(tokens.expiresIn() > 0);
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(info.email, who.email);
  assert.equal(info.email_verified, true);

  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(fresh.refresh_token, tokens.refresh_token);
  assert.notEqual(fresh.access_token, tokens.access_token);
  assert.equal(fresh.claims().sub, claims.sub);
  assert.equal(fresh.claims().auth_time, claims.auth_time);

  const narrow = await oidc.refreshTokenGrant(config, fresh.refresh_token, { scope: 'openid' });
  const less = await oidc.fetchUserInfo(config, narrow.access_token, claims.sub);
  assert.equal(less.email, undefined);

  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
  await assert.rejects(oidc.refreshTokenGrant(config, narrow.refresh_token), { error: 'invalid_grant' }, 'reuse ends the family');
});

test('a web app: introspection, revocation, logout', async () => {
  const config = await web();
  const redirect = client('demo-web').redirect_uris[0];
  const { tokens, browser } = await login(config, redirect);
  const claims = tokens.claims();
  const seen = await oidc.tokenIntrospection(config, tokens.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.sub, claims.sub);
  assert.equal(seen.client_id, 'demo-web');

  const second = await login(config, redirect, { prompt: 'none', id_token_hint: tokens.id_token }, browser);
  assert.equal(second.tokens.claims().sub, claims.sub);
  assert.equal(second.tokens.claims().sid, claims.sid);

  await oidc.tokenRevocation(config, tokens.access_token);
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, false);
  await oidc.tokenRevocation(config, tokens.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
  await oidc.tokenRevocation(config, 'never-issued'); // RFC 7009 §2.2: no error

  const home = `${dev.demo}/`;
  const state = oidc.randomState();
  browser.stops.push(home);
  const out = await browser.open(oidc.buildEndSessionUrl(config, {
    id_token_hint: second.tokens.id_token, post_logout_redirect_uri: home, state,
  }));
  assert.equal(out.url.href, `${home}?state=${state}`);
});

test('a service: client credentials', async () => {
  const config = await web();
  const tokens = await oidc.clientCredentialsGrant(config);
  assert.equal(tokens.token_type, 'bearer');
  assert.equal(tokens.id_token, undefined);
  assert.equal(tokens.refresh_token, undefined);
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).sub, 'demo-web');
});

test('errors the library understands', async () => {
  const config = await native();
  const redirect = 'http://127.0.0.1:54321/callback';
  const browser = new Browser(redirect);
  const state = oidc.randomState();
  const verifier = oidc.randomPKCECodeVerifier();
  const request = {
    redirect_uri: redirect, scope: 'openid', state, prompt: 'none',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  };
  const page = await browser.open(oidc.buildAuthorizationUrl(config, request));
  await assert.rejects(oidc.authorizationCodeGrant(config, page.url, { pkceCodeVerifier: verifier, expectedState: state }),
    { error: 'login_required', code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR' });
  const bad = await browser.open(oidc.buildAuthorizationUrl(config, { ...request, scope: 'openid no-such-scope' }));
  await assert.rejects(oidc.authorizationCodeGrant(config, bad.url, { pkceCodeVerifier: verifier, expectedState: state }), { error: 'invalid_scope' });

  const done = await login(config, redirect);
  await assert.rejects(oidc.authorizationCodeGrant(config, done.callback, {
    pkceCodeVerifier: done.verifier, expectedState: done.state, expectedNonce: done.nonce,
  }), { error: 'invalid_grant', status: 400 }, 'a code twice');
  await assert.rejects(oidc.fetchUserInfo(config, done.tokens.access_token, done.tokens.claims().sub), /./, 'its tokens are dead');

  const { id } = client('demo-web');
  const stranger = await oidc.discovery(issuer, id, {}, oidc.ClientSecretBasic('not-the-secret'), insecure);
  await assert.rejects(oidc.clientCredentialsGrant(stranger), { status: 401 });
});

test('a mixed-up or missing iss is noticed, so it is there', async () => {
  const config = await native();
  const redirect = 'http://127.0.0.1:54321/callback';
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect, scope: 'openid', state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const callback = await signIn(new Browser(redirect), url, person());
  assert.equal(callback.searchParams.get('iss'), dev.issuer);
  for (const iss of [null, 'https://evil.example']) {
    const forged = new URL(callback);
    if (iss) forged.searchParams.set('iss', iss);
    else forged.searchParams.delete('iss');
    await assert.rejects(oidc.authorizationCodeGrant(config, forged, { pkceCodeVerifier: verifier, expectedState: state }),
      (e) => /iss/.test(`${e.message} ${e.cause?.message}`));
  }
});
