// oidc-provider changes its signing key: between two logins, and while a person
// is at its pages. Gatehouse hears of the new key by the first token that names
// it; a token of a key that is gone is refused.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { arrive, atProvider, depart, headerOf, signingKey, startCompany } from './provider.mjs';

const started = [];

after(() => started.forEach((c) => c.stop()));

async function start(alg) {
  const company = await startCompany({ keys: [signingKey(alg)] });
  started.push(company);
  return company;
}

const kids = (company) => company.idTokens.map((t) => headerOf(t).kid);

for (const alg of ['ES256', 'PS256']) {
  test(`keys change between two logins (${alg})`, async () => {
    const company = await start(alg);
    const first = await company.login('paula');
    company.serve(company.provider([signingKey(alg)]));
    assert.equal((await company.login('paula')).claims.sub, first.claims.sub);
    assert.equal(new Set(kids(company)).size, 2);
  });
}

test('keys change while a person is at the provider', async () => {
  const company = await start('ES256');
  await company.login('paula'); // the old key is known here
  const trip = await depart(company, 'peter');
  company.serve(company.provider([signingKey('ES256')]));
  const { claims } = await arrive(trip, await atProvider(trip.browser, trip.page, 'peter'));
  assert.equal(claims.org, company.slug);
  assert.equal(new Set(kids(company)).size, 2);
});

test('a token of a key that is gone is refused, known here or not', async () => {
  const company = await start('ES256');
  const old = company.provider([signingKey('ES256')]);
  const now = company.provider([signingKey('ES256')]);
  // Tokens are of the old key, the published one is the new one.
  company.serve((req, res) => (req.url.startsWith('/token') ? old : now)(req, res));
  const trip = await depart(company, 'paula');
  const page = await atProvider(trip.browser, trip.page, 'paula');
  assert.equal(company.idTokens.length, 1);
  assert.ok(!page.callback && page.status >= 400, `at ${page.url} (${page.status})`);
  company.serve(now);
  await company.login('paula');
});
