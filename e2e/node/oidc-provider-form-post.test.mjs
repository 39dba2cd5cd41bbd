// oidc-provider answers with a form that posts itself (response_mode=form_post).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCompany } from './provider.mjs';

let company;

before(async () => {
  company = await startCompany({
    connection: { response_mode: 'form_post' },
    asked: (query) => assert.equal(query.get('response_mode'), 'form_post'),
  });
});

after(() => company?.stop());

test('a person signs in by form post, without cookies on the cross-site step', async () => {
  const { browser, claims } = await company.login('paula');
  assert.equal(claims.org, company.slug);
  const callback = browser.visited.filter((u) => u.includes(`/login/callback/${company.slug}`));
  assert.equal(callback.length, 2, callback.join('\n'));
  const [posted, sealed] = callback.map((u) => new URL(u).searchParams);
  assert.equal(posted.size, 0);
  assert.deepEqual([...sealed.keys()], ['r'], 'neither code nor state stands in a URL of ours');
});
