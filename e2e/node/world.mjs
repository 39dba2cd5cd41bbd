// What the tests know of the running Gatehouse: its dev.json, whose path stands
// in GATEHOUSE_DEV_JSON.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';

const path = process.env.GATEHOUSE_DEV_JSON;
if (!path) throw new Error('GATEHOUSE_DEV_JSON is not set: run these tests with `go test ./e2e -run TestNode`, or point it at var/dev/dev.json of a running `gatehouse dev`');

export const dev = JSON.parse(readFileSync(path, 'utf8'));
export const issuer = new URL(dev.issuer);
export const client = (id) => dev.clients.find((c) => c.id === id);

// person makes up somebody of a domain.
export function person(domain = 'acme.test') {
  const name = `node${randomUUID().slice(0, 8)}`;
  return { name, email: `${name}@${domain}` };
}

// api calls the admin API.
export async function api(want, method, path, body) {
  const res = await fetch(`${dev.admin}/api/v1${path}`, {
    method, body: body && JSON.stringify(body),
    headers: { authorization: `Bearer ${dev.api_token}`, ...(body && { 'content-type': 'application/json' }) },
  });
  const said = await res.text();
  assert.equal(res.status, want, `${method} ${path}: ${said}`);
  return said ? JSON.parse(said) : undefined;
}
