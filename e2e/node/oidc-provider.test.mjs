// oidc-provider (certified) as the identity provider of a company: Gatehouse is
// its relying party, and a person signs in end to end.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Provider } from 'oidc-provider';
import * as oidc from 'openid-client';
import { Browser, forms } from './browser.mjs';
import { api, dev, issuer } from './world.mjs';

const slug = `node${randomUUID().slice(0, 8)}`; // ids are never given out twice
const domain = `${slug}.test`;
const secret = randomUUID();
let upstream;
let server;

before(async () => {
  server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  upstream = `http://localhost:${server.address().port}`;
  const provider = new Provider(upstream, {
    clients: [{
      client_id: 'gatehouse', client_secret: secret, redirect_uris: [`${dev.issuer}/login/callback/${slug}`],
      token_endpoint_auth_method: 'client_secret_basic',
    }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomUUID()] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@${domain}`, email_verified: true, name: `${id} of Node`, given_name: id, family_name: 'Node' }),
    }),
  });
  server.on('request', provider.callback());

  await api(201, 'POST', '/organizations', { id: slug, title: 'Node Party', join: 'automatic' });
  await api(201, 'POST', `/organizations/${slug}/domains`, { name: domain, asserted: true });
  await api(201, 'POST', '/connections', {
    id: slug, organization: slug, title: 'oidc-provider', domains: [domain], issuer: upstream,
    client_id: 'gatehouse', client_secret: secret, allow_private_network: true,
  });
});

after(() => { server?.closeAllConnections(); server?.close(); });

// atProvider goes through oidc-provider's own pages: sign-in, then consent.
async function atProvider(browser, page, login) {
  for (let step = 0; step < 4 && !page.callback; step++) {
    const form = forms(page.html, page.url).find((f) => f.fields.has('prompt'));
    assert.ok(form, `unexpected page at ${page.url} (${page.status}):\n${page.html}`);
    const fields = form.fields.get('prompt') === 'login' ? { login, password: 'anything' } : {};
    page = await browser.submit(page, { button: null, fields: { ...fields, prompt: form.fields.get('prompt') } });
  }
  return page;
}

async function login(name, extra = {}) {
  const redirect = 'http://127.0.0.1:54323/callback';
  const config = await oidc.discovery(issuer, 'demo-native', { id_token_signed_response_alg: 'ES256' }, oidc.None(), { execute: [oidc.allowInsecureRequests] });
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const browser = new Browser(redirect);
  let page = await browser.open(oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect, scope: 'openid email profile organization', state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...extra,
  }));
  page = await browser.submit(page, { fields: { email: `${name}@${domain}` } });
  assert.equal(page.url.origin, upstream, 'the domain leads to oidc-provider');
  const asked = new URL(browser.visited.find((u) => u.startsWith(`${upstream}/auth?`))).searchParams;
  assert.equal(asked.get('code_challenge_method'), 'S256');
  assert.ok(asked.get('nonce') && asked.get('state'));
  assert.equal(asked.get('login_hint'), `${name}@${domain}`);
  page = await atProvider(browser, page, name);
  assert.ok(page.callback, `not at the app but at ${page.url}:\n${page.html}`);
  const tokens = await oidc.authorizationCodeGrant(config, page.url, {
    pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true, ...(extra.max_age && { maxAge: Number(extra.max_age) }),
  });
  return { config, tokens, claims: tokens.claims() };
}

test('a person of the company signs in, and again is the same person', async () => {
  const first = await login('paula');
  assert.equal(first.claims.org, slug);
  const info = await oidc.fetchUserInfo(first.config, first.tokens.access_token, first.claims.sub);
  assert.equal(info.email, `paula@${domain}`);
  assert.equal(info.email_verified, true);
  assert.equal(info.name, 'paula of Node');
  assert.equal((await login('paula')).claims.sub, first.claims.sub);
  assert.notEqual((await login('peter')).claims.sub, first.claims.sub);
});

test('auth_time is there whether or not the provider says it', async () => {
  for (const extra of [{}, { max_age: '3600' }]) { // oidc-provider says it only when asked
    const { claims } = await login('paula', extra);
    assert.ok(Math.abs(claims.auth_time - Date.now() / 1000) < 60, `auth_time ${claims.auth_time}`);
  }
});

test('saying no at the provider is access_denied for the app', async () => {
  const redirect = 'http://127.0.0.1:54323/callback';
  const browser = new Browser(redirect);
  const verifier = oidc.randomPKCECodeVerifier();
  const url = new URL(`${dev.issuer}/oauth2/authorize`);
  url.search = new URLSearchParams({
    client_id: 'demo-native', redirect_uri: redirect, response_type: 'code', scope: 'openid', state: 'a-state-of-some-length',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', login_hint: `quentin@${domain}`,
  });
  const page = await browser.open(url);
  const cancel = page.html.match(/href="([^"]*\/abort)"/)?.[1];
  assert.ok(cancel, `no way to cancel:\n${page.html}`);
  const back = await browser.open(new URL(cancel, page.url));
  assert.ok(back.callback, `not at the app but at ${back.url}:\n${back.html}`);
  assert.equal(back.url.searchParams.get('error'), 'access_denied');
  assert.equal(back.url.searchParams.get('state'), 'a-state-of-some-length');
});
