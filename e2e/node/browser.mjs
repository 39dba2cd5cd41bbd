// A browser without scripts: cookies, redirects and HTML forms, enough to walk a
// person through the pages of Gatehouse and of a provider.
import assert from 'node:assert/strict';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#34': '"', '#39': "'", '#43': '+' };
const text = (s) => s.replace(/&(#x?[0-9a-f]+|[a-z]+);/gi, (whole, name) => {
  if (entities[name]) return entities[name];
  if (/^#x/i.test(name)) return String.fromCodePoint(parseInt(name.slice(2), 16));
  if (name.startsWith('#')) return String.fromCodePoint(parseInt(name.slice(1), 10));
  return whole;
});

function attributes(tag) {
  const out = {};
  for (const m of tag.matchAll(/([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) {
    out[m[1].toLowerCase()] ??= text(m[2] ?? m[3] ?? m[4] ?? '');
  }
  return out;
}

// forms gives every form of a page: action, method, fields and buttons.
export function forms(html, base) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head, body]) => {
    const at = attributes(head);
    const form = { action: new URL(at.action || base, base), method: (at.method || 'get').toUpperCase(), fields: new URLSearchParams(), buttons: [] };
    for (const [, kind, rest] of body.matchAll(/<(input|button)\b([^>]*)>/gi)) {
      const a = attributes(rest);
      if (kind.toLowerCase() === 'button' || a.type === 'submit') form.buttons.push(a);
      else if (a.name && a.type !== 'checkbox') form.fields.append(a.name, a.value ?? '');
    }
    return form;
  });
}

export class Browser {
  #cookies = new Map(); // origin-blind like real cookies: host → name → value
  visited = [];

  // stops are prefixes of an app's own addresses; they are not loaded.
  constructor(...stops) { this.stops = stops; }

  async open(url) { return this.#go(new URL(url), { method: 'GET' }); }

  // submit fills the first form that has the button and all of the fields.
  async submit(page, { button = 'submit', fields = {} } = {}) {
    const form = forms(page.html, page.url).find((f) =>
      (button === null || f.buttons.some((b) => b.id === button)) && Object.keys(fields).every((n) => f.fields.has(n)));
    assert.ok(form, `no form with #${button} and ${Object.keys(fields)} at ${page.url} (${page.status}):\n${page.html}`);
    for (const [name, value] of Object.entries(fields)) form.fields.set(name, value);
    const pressed = form.buttons.find((b) => b.id === button);
    if (pressed?.name) form.fields.set(pressed.name, pressed.value ?? '');
    if (form.method === 'GET') {
      form.action.search = form.fields.toString();
      return this.#go(form.action, { method: 'GET' });
    }
    return this.#go(form.action, {
      method: 'POST', body: form.fields.toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded', origin: 'null',
        'sec-fetch-site': form.action.origin === page.url.origin ? 'same-origin' : 'cross-site',
      },
    });
  }

  async #go(url, init) {
    for (let hop = 0; hop < 20; hop++) {
      if (this.stops.some((s) => url.href.startsWith(s))) return { url, callback: true };
      this.visited.push(url.href);
      const jar = this.#cookies.get(url.hostname) ?? new Map();
      // A form of another origin comes without cookies: those here are SameSite.
      const bare = init.method === 'POST' && init.headers['sec-fetch-site'] === 'cross-site';
      const cookie = bare ? '' : [...jar].map(([n, v]) => `${n}=${v}`).join('; ');
      const res = await fetch(url, { ...init, redirect: 'manual', headers: { accept: 'text/html', ...init.headers, ...(cookie && { cookie }) } });
      for (const line of res.headers.getSetCookie()) {
        const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
        if (/max-age=(0|-)|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
        else jar.set(name, value);
      }
      this.#cookies.set(url.hostname, jar);
      const location = res.headers.get('location');
      if (!location || res.status < 300 || res.status > 399) {
        return { url, status: res.status, headers: res.headers, html: await res.text() };
      }
      await res.body?.cancel();
      url = new URL(location, url);
      init = { method: 'GET' };
    }
    assert.fail(`too many redirects: ${this.visited.join('\n')}`);
  }
}

// signIn walks a person from an authorization URL to the app's callback, through
// Gatehouse's e-mail page and the mock provider's page. It gives the callback URL.
export async function signIn(browser, authorizationUrl, who) {
  let page = await browser.open(authorizationUrl);
  if (!page.callback && forms(page.html, page.url).some((f) => f.fields.has('email'))) {
    page = await browser.submit(page, { fields: { email: who.email } });
  }
  if (!page.callback && forms(page.html, page.url).some((f) => f.fields.has('username'))) {
    page = await browser.submit(page, { fields: { username: who.name } });
  }
  assert.ok(page.callback, `not at the app but at ${page.url} (${page.status}):\n${page.html}`);
  return page.url;
}
