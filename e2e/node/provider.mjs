// A company whose identity provider is oidc-provider (certified): the provider,
// its organization, domain and connection at Gatehouse, and people who sign in
// there through Gatehouse's own pages, down to the app's tokens.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import * as oidc from 'openid-client';
import { Browser, forms } from './browser.mjs';
import { api, dev, issuer } from './world.mjs';

const kinds = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
kinds.PS256 = kinds.RS256;

// signingKey makes a private JWK for ID tokens.
export const signingKey = (alg, kid = randomUUID()) => ({ ...kinds[alg]().privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg });

// shelf is where the oidc-providers of one company keep what they share: all but
// their keys. It is oidc-provider's adapter contract, without expiry.
function shelf() {
  const kept = new Map();
  const of = (model) => [...kept].filter(([key]) => key.startsWith(`${model}:`)).map(([, payload]) => payload);
  return class Adapter {
    constructor(model) { this.model = model; }
    async upsert(id, payload) { kept.set(`${this.model}:${id}`, payload); }
    async find(id) { return kept.get(`${this.model}:${id}`); }
    async findByUid(uid) { return of(this.model).find((p) => p.uid === uid); }
    async consume(id) { kept.get(`${this.model}:${id}`).consumed = Math.floor(Date.now() / 1000); }
    async destroy(id) { kept.delete(`${this.model}:${id}`); }
    async revokeByGrantId(grantId) {
      for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
    }
  };
}

// startCompany makes one. connection adds to the connection's record; client
// and configuration to what oidc-provider knows, and may be functions of the
// connection as Gatehouse shows it. Its stop belongs into after().
export async function startCompany({ keys = [signingKey('RS256')], connection = {}, client = {}, configuration = {}, asked } = {}) {
  const slug = `node${randomUUID().slice(0, 8)}`; // ids are never given out twice
  const domain = `${slug}.test`;
  const secret = randomUUID();
  let answer = (_req, res) => res.destroy();
  const server = createServer((req, res) => answer(req, res));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const upstream = `http://localhost:${server.address().port}`;

  await api(201, 'POST', '/organizations', { id: slug, title: 'Node Party', join: 'automatic' });
  await api(201, 'POST', `/organizations/${slug}/domains`, { name: domain, asserted: true });
  const record = await api(201, 'POST', '/connections', {
    id: slug, organization: slug, title: 'oidc-provider', domains: [domain], issuer: upstream,
    client_id: 'gatehouse', client_secret: secret, allow_private_network: true, ...connection,
  });

  const adapter = shelf();
  const company = {
    slug, domain, upstream, record, idTokens: [], requests: [],
    stop() { server.closeAllConnections(); server.close(); },
    // provider is one oidc-provider at this address; several share their
    // codes, sessions and clients, and differ in their keys.
    provider(jwks) {
      const provider = new Provider(upstream, {
        clients: [{
          client_id: 'gatehouse', client_secret: secret, redirect_uris: [record.redirect_uri],
          token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: jwks[0].alg,
          ...(typeof client === 'function' ? client(record) : client),
        }],
        adapter,
        jwks: { keys: jwks },
        pkce: { required: () => true },
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name'] },
        conformIdTokenClaims: false,
        cookies: { keys: [slug] },
        findAccount: (_ctx, id) => ({
          accountId: id,
          claims: () => ({ sub: id, email: `${id}@${domain}`, email_verified: true, name: `${id} of Node`, given_name: id, family_name: 'Node' }),
        }),
        ...configuration,
      });
      provider.on('grant.success', (ctx) => company.idTokens.push(ctx.body.id_token));
      provider.use((ctx, next) => {
        company.requests.push(`${ctx.method} ${ctx.path}`);
        return next();
      });
      return provider.callback();
    },
    // serve puts a provider, or any handler, in front.
    serve(handler) { answer = handler; },
    login: (name, extra) => login(company, name, extra, asked),
  };
  company.serve(company.provider(keys));
  return company;
}

// headerOf reads a JWT's header.
export const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));

// atProvider goes through oidc-provider's own pages: sign-in, then consent, and
// a form that posts itself.
export async function atProvider(browser, page, name) {
  for (let step = 0; step < 5 && !page.callback; step++) {
    const all = forms(page.html, page.url);
    const form = all.find((f) => f.fields.has('prompt'));
    if (!form && all[0]?.fields.has('state')) { // response_mode=form_post
      page = await browser.submit(page, { button: null, fields: {} });
      continue;
    }
    if (!form) break; // whatever it is, the caller judges it
    const fields = form.fields.get('prompt') === 'login' ? { login: name, password: 'anything' } : {};
    page = await browser.submit(page, { button: null, fields: { ...fields, prompt: form.fields.get('prompt') } });
  }
  return page;
}

export const redirect = 'http://127.0.0.1:54323/callback';

// depart walks a person to the provider's first page. at gives what login needs
// to go on.
export async function depart(company, name, extra = {}) {
  const config = await oidc.discovery(issuer, 'demo-native', { id_token_signed_response_alg: 'ES256' }, oidc.None(), { execute: [oidc.allowInsecureRequests] });
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const browser = new Browser(redirect);
  let page = await browser.open(oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect, scope: 'openid email profile organization', state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...extra,
  }));
  page = await browser.submit(page, { fields: { email: `${name}@${company.domain}` } });
  return { config, verifier, state, browser, page };
}

// arrive redeems the app's code.
export async function arrive({ config, verifier, state }, page, extra = {}) {
  assert.ok(page.callback, `not at the app but at ${page.url}:\n${page.html}`);
  const tokens = await oidc.authorizationCodeGrant(config, page.url, {
    pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true, ...(extra.max_age && { maxAge: Number(extra.max_age) }),
  });
  return { config, tokens, claims: tokens.claims() };
}

async function login(company, name, extra = {}, asked = plainly) {
  const trip = await depart(company, name, extra);
  assert.equal(trip.page.url.origin, company.upstream, `the domain leads to oidc-provider, not to ${trip.page.url}:\n${trip.page.html}`);
  asked(new URL(trip.browser.visited.find((u) => u.startsWith(`${company.upstream}/auth?`))).searchParams, `${name}@${company.domain}`);
  const page = await atProvider(trip.browser, trip.page, name);
  return { browser: trip.browser, ...await arrive(trip, page, extra) };
}

// plainly holds what the browser carried against what a login sends.
function plainly(asked, address) {
  assert.equal(asked.get('code_challenge_method'), 'S256');
  assert.ok(asked.get('nonce') && asked.get('state'));
  assert.equal(asked.get('login_hint'), address);
}
