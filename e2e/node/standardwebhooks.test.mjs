// The reference library of Standard Webhooks receives our calls: it knows
// nothing of Gatehouse but the secret.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { api } from './world.mjs';

// receiver is an HTTP server that hands out the test events it was sent, in
// order. Tests beside this one make users, which is told here too.
async function receiver(t) {
  const calls = [], waiting = [];
  let status = 200;
  const server = createServer((req, res) => {
    const parts = [];
    req.on('data', (part) => parts.push(part));
    req.on('end', () => {
      res.writeHead(status).end();
      const call = { headers: req.headers, body: Buffer.concat(parts).toString() };
      if (JSON.parse(call.body).type !== 'webhook.test') return;
      const next = waiting.shift();
      next ? next(call) : calls.push(call);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    answer: (s) => { status = s; },
    next: () => calls.length ? calls.shift() : new Promise((done) => waiting.push(done)),
  };
}

const webhook = (url) => api(201, 'POST', '/webhooks', { url, events: ['user.created', 'user.disabled'], allow_private_network: true });

test('the reference library verifies a call', async (t) => {
  const r = await receiver(t);
  const { webhook: { id }, secret } = await webhook(r.url);
  const sent = await api(201, 'POST', `/webhooks/${id}/test`);
  const call = await r.next();
  const payload = new Webhook(secret).verify(call.body, call.headers);
  assert.equal(payload.type, 'webhook.test');
  assert.deepEqual(payload.data, { webhook: id });
  assert.equal(call.headers['webhook-id'], sent.id);
  assert.throws(() => new Webhook(secret).verify(call.body + ' ', call.headers));
  assert.throws(() => new Webhook(secret).verify(call.body, { ...call.headers, 'webhook-id': 'msg_other' }));
  assert.throws(() => new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').verify(call.body, call.headers));
});

test('both secrets verify while one replaces the other', async (t) => {
  const r = await receiver(t);
  const { webhook: { id }, secret: older } = await webhook(r.url);
  const { secret: newer } = await api(201, 'POST', `/webhooks/${id}/secret`, { keep_old_seconds: 3600 });
  await api(201, 'POST', `/webhooks/${id}/test`);
  let call = await r.next();
  for (const secret of [older, newer]) new Webhook(secret).verify(call.body, call.headers);
  const { secret: newest } = await api(201, 'POST', `/webhooks/${id}/secret`, {});
  await api(201, 'POST', `/webhooks/${id}/test`);
  call = await r.next();
  new Webhook(newest).verify(call.body, call.headers);
  for (const secret of [older, newer]) assert.throws(() => new Webhook(secret).verify(call.body, call.headers));
});

test('a call that failed comes again with the same id', async (t) => {
  const r = await receiver(t);
  const { webhook: { id }, secret } = await webhook(r.url);
  r.answer(500);
  const sent = await api(201, 'POST', `/webhooks/${id}/test`);
  const first = await r.next();
  r.answer(204);
  await api(200, 'POST', `/webhooks/${id}/deliveries/${sent.id}/redeliver`);
  const again = await r.next();
  new Webhook(secret).verify(again.body, again.headers);
  assert.equal(again.headers['webhook-id'], first.headers['webhook-id']);
  assert.equal(again.body, first.body);
});
