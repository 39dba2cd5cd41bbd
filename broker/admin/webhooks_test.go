package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/notify"
	"gatehouse/store"
)

func aWebhook(organization string) map[string]any {
	body := map[string]any{"url": "https://hooks.example/in", "events": []string{store.EventUserCreated}}
	if organization != "" {
		body["organization"] = organization
	}
	return body
}

func TestWebhookLife(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleAdmin)
	made := want(t, c.api("POST", "/webhooks", aWebhook("")), http.StatusCreated)
	secret, id := made.at(t, "secret").(string), made.at(t, "webhook.id").(string)
	if !strings.HasPrefix(secret, "whsec_") || strings.Contains(c.api("GET", "/webhooks/"+id, nil).text()+c.api("GET", "/webhooks", nil).text(), secret) {
		t.Error("the secret is not what it should be, or is shown again")
	}
	changed := want(t, c.api("PATCH", "/webhooks/"+id, map[string]any{"disabled": true, "revision": 1}), http.StatusOK)
	if changed.at(t, "disabled") != true || changed.at(t, "url") != "https://hooks.example/in" {
		t.Errorf("got %s", changed.text())
	}
	want(t, c.api("PATCH", "/webhooks/"+id, map[string]any{"disabled": false, "revision": 1}), http.StatusConflict)
	want(t, c.api("POST", "/webhooks/"+id+"/test", nil), http.StatusConflict) // it is off
	want(t, c.api("PATCH", "/webhooks/"+id, map[string]any{"disabled": false}), http.StatusOK)

	rotated := want(t, c.api("POST", "/webhooks/"+id+"/secret", map[string]any{"keep_old_seconds": 3600}), http.StatusCreated)
	if rotated.at(t, "secret") == secret || rotated.at(t, "webhook.previous_secret_until") == nil {
		t.Errorf("got %s", rotated.text())
	}
	s.update(func(tx store.Tx) error {
		w, err := s.store.Webhooks.Get(tx, id)
		if err != nil {
			return err
		}
		if old, err := w.PreviousSecret.Reveal(); err != nil || old.Reveal() != secret {
			t.Errorf("the old secret is lost: %v", err)
		}
		return nil
	})

	sent := want(t, c.api("POST", "/webhooks/"+id+"/test", nil), http.StatusCreated)
	delivery := sent.at(t, "id").(string)
	if !strings.Contains(sent.at(t, "payload").(string), `"type":"webhook.test"`) {
		t.Errorf("got %s", sent.text())
	}
	want(t, c.api("GET", "/webhooks/"+id+"/deliveries/"+delivery, nil), http.StatusOK)
	again := want(t, c.api("POST", "/webhooks/"+id+"/deliveries/"+delivery+"/redeliver", nil), http.StatusOK)
	if again.at(t, "state") != "pending" {
		t.Errorf("got %s", again.text())
	}
	other := want(t, c.api("POST", "/webhooks", aWebhook("")), http.StatusCreated).at(t, "webhook.id").(string)
	want(t, c.api("GET", "/webhooks/"+other+"/deliveries/"+delivery, nil), http.StatusNotFound)
	want(t, c.api("DELETE", "/webhooks/"+id, nil), http.StatusNoContent)
	want(t, c.api("GET", "/webhooks/"+id, nil), http.StatusNotFound)

	audit := c.api("GET", "/audit?limit=200", nil).text()
	for _, action := range []string{"webhook.create", "webhook.update", "webhook.rotate_secret", "webhook.test", "webhook.redeliver", "webhook.delete"} {
		if !strings.Contains(audit, action) {
			t.Errorf("%s is not in the audit", action)
		}
	}
	for _, text := range []string{audit, s.log.String()} {
		if strings.Contains(text, secret) || strings.Contains(text, "whsec_") {
			t.Error("a secret is in the audit or the log")
		}
	}
}

// TestH1_WebhookURLs: what can never be called is refused when it is saved, and
// private networks are for platform owners.
func TestH1_WebhookURLs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, owner := s.as(store.RoleAdmin), s.as(store.RoleOwner)
	for _, bad := range []string{
		"http://hooks.example/", "https://127.0.0.1/", "https://169.254.169.254/", "https://[::1]/", "https://u:p@hooks.example/", "https://hooks.example/#x",
		"javascript:alert(1)", "", "https://hooks.example/ x", "https://hooks.example/ü", "//hooks.example/",
	} {
		body := aWebhook("")
		body["url"] = bad
		if a := want(t, c.api("POST", "/webhooks", body), http.StatusUnprocessableEntity); !strings.Contains(a.text(), "body.url") {
			t.Errorf("%q: %s", bad, a.text())
		}
	}
	for _, events := range [][]string{{}, {"no.such"}, {store.EventTest}, {store.EventUserCreated, store.EventUserCreated}} {
		body := aWebhook("")
		body["events"] = events
		want(t, c.api("POST", "/webhooks", body), http.StatusUnprocessableEntity)
	}
	body := aWebhook("")
	body["allow_private_network"] = true
	want(t, c.api("POST", "/webhooks", body), http.StatusForbidden)
	id := want(t, owner.api("POST", "/webhooks", body), http.StatusCreated).at(t, "webhook.id").(string)
	want(t, c.api("PATCH", "/webhooks/"+id, map[string]any{"url": "https://other.example/"}), http.StatusUnprocessableEntity)
	want(t, c.api("PATCH", "/webhooks/"+id, map[string]any{"disabled": true}), http.StatusOK)
}

func TestWebhooksAreFew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleAdmin)
	c.organization("acme")
	for range 20 {
		want(t, c.api("POST", "/webhooks", aWebhook("acme")), http.StatusCreated)
	}
	want(t, c.api("POST", "/webhooks", aWebhook("acme")), http.StatusConflict)
	want(t, c.api("POST", "/webhooks", aWebhook("")), http.StatusCreated)
	want(t, c.api("POST", "/webhooks", aWebhook("nobody")), http.StatusNotFound)
}

func TestWebhookEventsHaveSchemas(t *testing.T) {
	t.Parallel()
	a := want(t, newSite(t).as(store.RoleAdmin).api("GET", "/webhook-events", nil), http.StatusOK)
	for _, k := range append(notify.EventKinds(), notify.TestKind()) {
		if !strings.Contains(a.text(), `"const":"`+k.Kind+`"`) {
			t.Errorf("there is no schema of %s", k.Kind)
		}
	}
}

// TestWebhookPages: the console's way through the same life.
func TestWebhookPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.console(store.RoleOwner)
	if a := want(t, b.get("/webhooks"), http.StatusOK); !strings.Contains(a.text(), "No webhook yet") {
		t.Error("the empty list says nothing")
	}
	form := url.Values{"url": {"ftp://x"}, "event-" + store.EventApproved: {"yes"}}
	if a := want(t, b.post("/new/webhook", "/new/webhook", form), http.StatusUnprocessableEntity); !strings.Contains(a.text(), "cannot be called") {
		t.Errorf("got %s", a.text())
	}
	form.Set("url", "https://hooks.example/in")
	made := want(t, b.post("/new/webhook", "/new/webhook", form), http.StatusOK)
	if !strings.Contains(made.text(), "whsec_") {
		t.Error("the secret is not shown")
	}
	list := b.get("/webhooks").text()
	_, rest, _ := strings.Cut(list, `href="/webhooks/`)
	id, _, _ := strings.Cut(rest, `"`)
	page := want(t, b.get("/webhooks/"+id), http.StatusOK)
	if strings.Contains(page.text(), "whsec_") {
		t.Error("the secret is shown again")
	}
	want(t, b.post("/webhooks/"+id+"/test", "/webhooks/"+id, nil), http.StatusSeeOther)
	page = b.get("/webhooks/" + id)
	_, rest, _ = strings.Cut(page.text(), `href="/webhooks/`+id+`/deliveries/`)
	delivery, _, _ := strings.Cut(rest, `"`)
	at := "/webhooks/" + id + "/deliveries/" + delivery
	if a := want(t, b.get(at), http.StatusOK); !strings.Contains(a.text(), "webhook.test") {
		t.Errorf("got %s", a.text())
	}
	want(t, b.post(at+"/redeliver", at, nil), http.StatusSeeOther)
	if a := want(t, b.post("/webhooks/"+id+"/secret", "/webhooks/"+id, nil), http.StatusOK); !strings.Contains(a.text(), "whsec_") {
		t.Error("the new secret is not shown")
	}
	edit := want(t, b.get("/webhooks/"+id+"/edit"), http.StatusOK)
	changed := filled(t, edit)
	changed.Set("event-"+store.EventRefused, "yes")
	want(t, b.post("/webhooks/"+id+"/edit", "/webhooks/"+id+"/edit", changed), http.StatusSeeOther)
	if a := b.get("/webhooks/" + id); !strings.Contains(a.text(), store.EventRefused) || !strings.Contains(a.text(), store.EventApproved) {
		t.Error("the change is not there")
	}
	want(t, b.post("/webhooks/"+id+"/delete", "/webhooks/"+id, nil), http.StatusSeeOther)
}

func TestMailQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, b := s.as(store.RoleAdmin), s.console(store.RoleAdmin)
	for _, id := range []string{"m1", "m2", "m3"} {
		s.update(func(tx store.Tx) error {
			return s.store.Mails.Insert(tx, store.Mail{
				ID: id, Kind: "reset_password", To: "anna@acme.test", Data: store.MailData{Link: "https://login.example/canary-link"}.Seal(),
				Failed: true, LastError: "550 <b>no</b>", Attempts: 1, CreatedAt: s.clock.now(), NextAt: s.clock.now().Add(time.Hour), ExpiresAt: s.clock.now().Add(time.Hour),
			})
		})
	}
	shown := want(t, c.api("GET", "/mails", nil), http.StatusOK).text() + want(t, c.api("GET", "/mails/m1", nil), http.StatusOK).text() +
		want(t, b.get("/mails"), http.StatusOK).text() + want(t, b.get("/mails/m1"), http.StatusOK).text()
	if !strings.Contains(shown, "550") || strings.Contains(shown, "canary-link") || strings.Contains(shown, "<b>no") {
		t.Error("the queue shows too little or too much")
	}
	again := want(t, c.api("POST", "/mails/m1/retry", nil), http.StatusOK)
	if again.at(t, "state") != "waiting" {
		t.Errorf("got %s", again.text())
	}
	want(t, b.post("/mails/m2/retry", "/mails/m2", nil), http.StatusSeeOther)
	want(t, b.post("/mails/m3/delete", "/mails/m3", nil), http.StatusSeeOther)
	want(t, c.api("DELETE", "/mails/m1", nil), http.StatusNoContent)
	want(t, c.api("GET", "/mails/m3", nil), http.StatusNotFound)
	want(t, c.api("POST", "/mails", map[string]any{}), http.StatusConflict) // mails are off here
	want(t, c.api("POST", "/mails", map[string]any{"to": "x@acme.test"}), http.StatusForbidden)
	if audit := c.api("GET", "/audit?limit=200", nil).text(); !strings.Contains(audit, "mail.retry") || !strings.Contains(audit, "mail.delete") || strings.Contains(audit, "anna@") {
		t.Error("the audit says too little or too much")
	}
}

func TestMailPreviews(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, b := s.as(store.RoleAdmin), s.console(store.RoleAdmin)
	kinds := want(t, c.api("GET", "/mail-kinds", nil), http.StatusOK)
	if kinds.at(t, "sending") != false {
		t.Errorf("got %s", kinds.text())
	}
	if a := want(t, c.api("GET", "/mail-kinds/invitation/preview?language=de", nil), http.StatusOK); !strings.Contains(a.text(), "Einladung") {
		t.Errorf("got %s", a.text())
	}
	want(t, c.api("GET", "/mail-kinds/nothing/preview", nil), http.StatusNotFound)
	if a := want(t, b.get("/mail-kinds"), http.StatusOK); !strings.Contains(a.text(), "Mails are off") || !strings.Contains(a.text(), "/mail-kinds/test?language=de") {
		t.Errorf("got %s", a.text())
	}
	if a := want(t, b.get("/mail-kinds/invitation?language=de"), http.StatusOK); !strings.Contains(a.text(), "Einladung") {
		t.Errorf("got %s", a.text())
	}
	a := want(t, b.get("/mail-kinds/invitation/html?language=en"), http.StatusOK)
	if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'; style-src 'sha256-") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	want(t, b.get("/mail-kinds/nothing"), http.StatusNotFound)
}

func (a answer) text() string { return string(a.body) }
