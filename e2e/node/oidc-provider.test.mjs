// oidc-provider (certified) as the identity provider of a company: Gatehouse is
// its relying party, and a person signs in end to end.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as oidc from 'openid-client';
import { Browser } from './browser.mjs';
import { redirect, startCompany } from './provider.mjs';
import { dev } from './world.mjs';

let company;

before(async () => { company = await startCompany(); });

after(() => company?.stop());

test('a person of the company signs in, and again is the same person', async () => {
  const first = await company.login('paula');
  assert.equal(first.claims.org, company.slug);
  const info = await oidc.fetchUserInfo(first.config, first.tokens.access_token, first.claims.sub);
  assert.equal(info.email, `paula@${company.domain}`);
  assert.equal(info.email_verified, true);
  assert.equal(info.name, 'paula of Node');
  assert.equal((await company.login('paula')).claims.sub, first.claims.sub);
  assert.notEqual((await company.login('peter')).claims.sub, first.claims.sub);
});

test('auth_time is there whether or not the provider says it', async () => {
  for (const extra of [{}, { max_age: '3600' }]) { // oidc-provider says it only when asked
    const { claims } = await company.login('paula', extra);
    assert.ok(Math.abs(claims.auth_time - Date.now() / 1000) < 60, `auth_time ${claims.auth_time}`);
  }
});

test('saying no at the provider is access_denied for the app', async () => {
  const browser = new Browser(redirect);
  const verifier = oidc.randomPKCECodeVerifier();
  const url = new URL(`${dev.issuer}/oauth2/authorize`);
  url.search = new URLSearchParams({
    client_id: 'demo-native', redirect_uri: redirect, response_type: 'code', scope: 'openid', state: 'a-state-of-some-length',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', login_hint: `quentin@${company.domain}`,
  });
  const page = await browser.open(url);
  const cancel = page.html.match(/href="([^"]*\/abort)"/)?.[1];
  assert.ok(cancel, `no way to cancel:\n${page.html}`);
  const back = await browser.open(new URL(cancel, page.url));
  assert.ok(back.callback, `not at the app but at ${back.url}:\n${back.html}`);
  assert.equal(back.url.searchParams.get('error'), 'access_denied');
  assert.equal(back.url.searchParams.get('state'), 'a-state-of-some-length');
});
