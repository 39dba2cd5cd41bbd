// oidc-provider takes authorization requests only pushed (PAR, RFC 9126): from
// everybody, as its discovery document says, or from this client alone.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { depart, startCompany } from './provider.mjs';

const started = [];

after(() => started.forEach((c) => c.stop()));

// carried holds what the browser brings to the provider: a reference, no more.
const carried = (query) => {
  assert.deepEqual([...query.keys()].sort(), ['client_id', 'request_uri']);
  assert.match(query.get('request_uri'), /^urn:ietf:params:oauth:request_uri:/);
};

const demanded = { features: { devInteractions: { enabled: true }, pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } } };

async function signsIn(options) {
  const company = await startCompany({ asked: carried, ...options });
  started.push(company);
  assert.equal((await company.login('paula')).claims.org, company.slug);
  assert.equal((await company.login('peter')).claims.org, company.slug);
  assert.equal(company.requests.filter((r) => r === 'POST /request').length, 2);
}

test('a person signs in where the discovery document demands pushed requests', () => signsIn({ configuration: demanded }));

test('pushed requests, form post and a client with a key go together', () => signsIn({
  configuration: demanded, connection: { response_mode: 'form_post', client_auth: 'private_key_jwt', client_secret: undefined },
  client: (record) => ({ client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: record.public_keys }),
}));

const alone = { client: { require_pushed_authorization_requests: true } };

test('a person signs in where the provider demands them of this client alone', () => signsIn({ ...alone, connection: { push_authorization: true } }));

test('and without push_authorization the provider refuses', async () => {
  const company = await startCompany(alone);
  started.push(company);
  const { page } = await depart(company, 'paula');
  assert.ok(page.callback || page.status >= 400, `at ${page.url} (${page.status})`);
  assert.equal(company.requests.filter((r) => r === 'POST /request').length, 0);
});
