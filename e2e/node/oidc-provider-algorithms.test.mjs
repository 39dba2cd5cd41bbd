// oidc-provider signs ID tokens with ES256 and with PS256; each connection takes
// its own algorithm and no other.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atProvider, depart, headerOf, signingKey, startCompany } from './provider.mjs';

const started = [];

after(() => started.forEach((c) => c.stop()));

for (const alg of ['ES256', 'PS256']) {
  test(`a person signs in with an ID token of ${alg}`, async () => {
    const company = await startCompany({ keys: [signingKey(alg)], connection: { algorithms: [alg] } });
    started.push(company);
    const { claims } = await company.login('paula');
    assert.equal(claims.org, company.slug);
    assert.equal(headerOf(company.idTokens.at(-1)).alg, alg);
  });
}

test('an algorithm that the connection does not list is refused', async () => {
  const company = await startCompany({ keys: [signingKey('ES256')], connection: { algorithms: ['PS256'] } });
  started.push(company);
  const trip = await depart(company, 'paula');
  const page = await atProvider(trip.browser, trip.page, 'paula');
  assert.equal(headerOf(company.idTokens.at(-1)).alg, 'ES256');
  assert.ok(!page.callback && page.status >= 400, `at ${page.url} (${page.status})`);
});
