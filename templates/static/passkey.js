// Asks the browser for a passkey and posts its answer as an ordinary form.
// Without this script, or in a browser without passkeys, the form stays hidden
// and the other ways on the page remain.
"use strict";
(() => {
  const form = document.getElementById("passkey");
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const fault = document.getElementById("passkey-fault");
  const answer = document.getElementById("answer");

  const bytes = (text) => {
    const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, (c) => c.charCodeAt(0));
  };
  const text = (buffer) => {
    let raw = "";
    for (const b of new Uint8Array(buffer)) raw += String.fromCharCode(b);
    return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const listed = (credentials) => (credentials || []).map((c) => ({ ...c, id: bytes(c.id) }));

  const ask = async () => {
    const options = JSON.parse(form.dataset.options).publicKey;
    options.challenge = bytes(options.challenge);
    let found;
    if (options.user) {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = listed(options.excludeCredentials);
      found = await navigator.credentials.create({ publicKey: options });
    } else {
      options.allowCredentials = listed(options.allowCredentials);
      found = await navigator.credentials.get({ publicKey: options });
    }
    const r = found.response;
    const response = { clientDataJSON: text(r.clientDataJSON) };
    if (r.attestationObject) {
      response.attestationObject = text(r.attestationObject);
      response.transports = r.getTransports ? r.getTransports() : [];
    } else {
      response.authenticatorData = text(r.authenticatorData);
      response.signature = text(r.signature);
      if (r.userHandle) response.userHandle = text(r.userHandle);
    }
    return JSON.stringify({
      id: found.id, rawId: text(found.rawId), type: found.type, response, clientExtensionResults: {},
    });
  };

  form.addEventListener("submit", async (event) => {
    if (answer.value) return;
    event.preventDefault();
    fault.hidden = true;
    try {
      answer.value = await ask();
      form.submit();
    } catch {
      answer.value = "";
      fault.hidden = false; // cancelled, timed out, or no passkey here
    }
  });
  addEventListener("pageshow", () => { answer.value = ""; });
  form.hidden = false;
})();
