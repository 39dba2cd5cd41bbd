// oidc-provider wants private_key_jwt: Gatehouse makes a key for the connection,
// and what the admin API shows of it is registered at the provider as it is.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atProvider, depart, signingKey, startCompany } from './provider.mjs';

const started = [];

after(() => started.forEach((c) => c.stop()));

const proves = (alg, keys) => (record) => ({
  client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg, jwks: keys ?? record.public_keys,
});

for (const alg of ['ES256', 'PS256']) {
  test(`a person signs in where the client proves itself with a key (${alg})`, async () => {
    const company = await startCompany({
      connection: { client_auth: 'private_key_jwt', client_auth_alg: alg, client_secret: undefined }, client: proves(alg),
    });
    started.push(company);
    assert.equal(company.record.has_client_secret, false);
    assert.ok(company.record.public_keys.keys.every((k) => !k.d && !k.p), 'only the public half is shown');
    const first = await company.login('paula');
    assert.equal(first.claims.org, company.slug);
    assert.equal((await company.login('paula')).claims.sub, first.claims.sub); // no assertion is sent twice
  });
}

test('another key than the registered one is refused by the provider', async () => {
  const { kty, crv, x, y, kid } = signingKey('ES256');
  const company = await startCompany({
    connection: { client_auth: 'private_key_jwt', client_secret: undefined }, client: proves('ES256', { keys: [{ kty, crv, x, y, kid }] }),
  });
  started.push(company);
  const trip = await depart(company, 'paula');
  const page = await atProvider(trip.browser, trip.page, 'paula');
  assert.ok(!page.callback && page.status >= 400, `at ${page.url} (${page.status})`);
  assert.equal(company.idTokens.length, 0);
});
