package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/notify"
	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) routeWebhookPages(t *table) {
	page(t, Admin, "GET", "/webhooks", "webhooks", h.showWebhooks).in(anywhere).does("list-webhooks")
	page(t, Admin, "GET", "/new/webhook", "webhook-new", h.showNewWebhook).in(anywhere).does("list-webhook-events")
	page(t, Admin, "POST", "/new/webhook", "webhook-new-post", h.doNewWebhook).in(anywhere).does("create-webhook")
	page(t, Admin, "GET", "/webhooks/{webhook}", "webhook", h.showWebhook).in(byObject).does("get-webhook", "list-deliveries")
	page(t, Admin, "GET", "/webhooks/{webhook}/edit", "webhook-edit", h.showEditWebhook).in(byObject).does("get-webhook")
	page(t, Admin, "POST", "/webhooks/{webhook}/edit", "webhook-edit-post", h.doEditWebhook).in(byObject).does("update-webhook")
	page(t, Admin, "POST", "/webhooks/{webhook}/test", "webhook-test", h.doTestWebhook).in(byObject).does("test-webhook")
	page(t, Admin, "POST", "/webhooks/{webhook}/secret", "webhook-secret", h.doRotateWebhook).in(byObject).does("rotate-webhook-secret")
	page(t, Admin, "POST", "/webhooks/{webhook}/delete", "webhook-delete", h.doDeleteWebhook).in(byObject).does("delete-webhook")
	page(t, Admin, "GET", "/webhooks/{webhook}/deliveries/{delivery}", "delivery", h.showDelivery).in(byObject).does("get-delivery")
	page(t, Admin, "POST", "/webhooks/{webhook}/deliveries/{delivery}/redeliver", "delivery-again", h.doRedeliver).in(byObject).does("redeliver")
}

func webhookURL(id, rest string) string { return "/webhooks/" + url.PathEscape(id) + rest }

func (h *Handler) showWebhooks(w http.ResponseWriter, r *http.Request, p Principal) {
	found, err := h.listWebhooks(r.Context(), paging(r), "")
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Webhooks", Intro: "Addresses that are called when something happens.",
		Links:   []templates.Link{{ID: "new", Title: "Add a webhook", URL: "/new/webhook"}},
		Columns: []string{"Address", "Organization", "Events", "State"},
		Empty: templates.Empty{
			Title: "No webhook yet", Text: "A webhook tells your own systems of requests, decisions and new people. Add the first one:",
			Action: "Add a webhook", URL: "/new/webhook",
			Command: "gatehouse webhook create --url https://hooks.example/gatehouse --event access_request.created",
		},
	}
	for _, x := range found.Items {
		organization := templates.CodeCell(x.Organization)
		if x.Organization == "" {
			organization = templates.WordCell("all")
		}
		page.Rows = append(page.Rows, templates.Row{URL: webhookURL(x.ID, ""), Cells: []templates.Cell{
			templates.TextCell(x.URL), organization, templates.CodeCell(strings.Join(x.Events, " ")), onOff(x.Disabled),
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

func (h *Handler) showWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawWebhook(w, r, p, "")
}

// drawWebhook shows a webhook and its newest deliveries; secret is a new one,
// the one time it can be seen.
func (h *Handler) drawWebhook(w http.ResponseWriter, r *http.Request, p Principal, secret string) {
	hook, err := h.webhook(r.Context(), r.PathValue("webhook"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	var f facts
	f.code("Id", hook.ID)
	if hook.OrganizationID != "" {
		f.code("Organization", hook.OrganizationID)
	} else {
		f = append(f, templates.Item{Label: "Organization", Values: []templates.Cell{templates.WordCell("all")}})
	}
	f.code("Events", hook.Events...)
	if hook.AllowPrivateNetwork {
		f.badge("Private network", "allowed", templates.ToneWarn)
	}
	if v := viewWebhook(hook); v.PreviousUntil != nil {
		f = append(f, templates.Item{Label: "Old secret signs until", Values: []templates.Cell{templates.TimeCell(*v.PreviousUntil)}})
	}
	deliveries, err := h.newestDeliveries(r, hook.ID)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: hook.URL, State: onOff(hook.Disabled), Back: "/webhooks", BackTitle: "Webhooks",
		Links:  []templates.Link{{ID: "edit", Title: "Change", URL: webhookURL(hook.ID, "/edit")}},
		Groups: []templates.Group{{Title: "Settings", Items: f}, deliveries},
	}
	if secret != "" {
		page.Groups = append([]templates.Group{{Title: "The new secret", Copies: []templates.Copy{{Label: "Shown this once; give it to the receiver", Text: secret}}}}, page.Groups...)
	}
	if !hook.Disabled {
		page.Actions = append(page.Actions, templates.Action{ID: "test", Title: "Send a test event", URL: webhookURL(hook.ID, "/test")})
	}
	page.Actions = append(page.Actions,
		templates.Action{ID: "secret", Title: "Make a new secret", URL: webhookURL(hook.ID, "/secret"), Warning: "Both secrets sign for 24 hours; then only the new one does."},
		templates.Action{ID: "delete", Title: "Remove", URL: webhookURL(hook.ID, "/delete"), Danger: true, Warning: "What waits for it is not sent any more."})
	h.drawn(r, h.templates.Detail(w, http.StatusOK, page))
}

// newestDeliveries are the last deliveries of a webhook, newest first.
func (h *Handler) newestDeliveries(r *http.Request, webhook string) (templates.Group, error) {
	const shown = 20
	var found []store.Delivery
	err := h.store.View(r.Context(), func(tx store.Tx) error {
		found = nil
		for d, err := range h.store.Deliveries.AllByIndex(tx, "webhook", webhook) {
			if err != nil {
				return err
			}
			if found = append(found, d); len(found) > shown {
				found = found[1:]
			}
		}
		return nil
	})
	g := templates.Group{Title: "Newest deliveries"}
	for i := range found {
		d := found[len(found)-1-i]
		g.Items = append(g.Items, templates.Item{Label: d.Kind, Values: []templates.Cell{
			deliveryState(d), templates.TimeCell(d.CreatedAt), templates.LinkCell(d.ID, webhookURL(webhook, "/deliveries/"+url.PathEscape(d.ID))),
		}})
	}
	return g, err
}

func deliveryState(d store.Delivery) templates.Cell {
	tone := templates.ToneGood
	switch d.State {
	case store.DeliveryPending:
		tone = templates.ToneWarn
	case store.DeliveryFailed:
		tone = templates.ToneBad
	}
	return templates.BadgeCell(d.State, tone)
}

func (h *Handler) showDelivery(w http.ResponseWriter, r *http.Request, p Principal) {
	d, err := h.delivery(r.Context(), r.PathValue("webhook"), r.PathValue("delivery"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	var f facts
	f.code("Id", d.ID)
	f = append(f, templates.Item{Label: "When", Values: []templates.Cell{templates.TimeCell(d.CreatedAt)}})
	if !d.NextAt.IsZero() {
		f = append(f, templates.Item{Label: "Tried next", Values: []templates.Cell{templates.TimeCell(d.NextAt)}})
	}
	tries := templates.Group{Title: "Attempts"}
	for _, a := range d.Attempts {
		values := []templates.Cell{templates.TimeCell(a.At), templates.TextCell(strconv.FormatInt(a.Millis, 10) + " ms")}
		if a.Error != "" {
			values = append(values, templates.WordCell(a.Error))
		}
		label := "no answer"
		if a.Status != 0 {
			label = strconv.Itoa(a.Status)
		}
		tries.Items = append(tries.Items, templates.Item{Label: label, Values: values})
	}
	h.drawn(r, h.templates.Detail(w, http.StatusOK, templates.DetailPage{
		Frame: h.frame(r, p), Title: d.Kind, State: deliveryState(d), Back: webhookURL(d.WebhookID, ""), BackTitle: "Webhook",
		Groups: []templates.Group{
			{Title: "Delivery", Items: f},
			tries,
			{Title: "What is sent", Copies: []templates.Copy{{Label: "Body", Text: string(d.Payload)}}},
		},
		Actions: []templates.Action{{ID: "redeliver", Title: "Send again", URL: webhookURL(d.WebhookID, "/deliveries/"+url.PathEscape(d.ID)+"/redeliver")}},
	}))
}

// webhookForm are the inputs of a webhook.
func webhookForm(w store.Webhook, owner, fresh bool) []templates.FormGroup {
	where := templates.FormGroup{Title: "Where", Inputs: []templates.Input{
		{Name: "url", Label: "Address", Hint: "https; it gets a POST with a JSON body", Value: w.URL, Required: true},
	}}
	if fresh {
		where.Inputs = append(where.Inputs, templates.Input{Name: "organization", Label: "Organization", Hint: "Only its events; empty: everybody's", Value: w.OrganizationID})
	} else {
		where.Inputs = append(where.Inputs, templates.Input{Name: "disabled", Label: "Switched off", Kind: templates.InputCheck, Value: "yes", Checked: w.Disabled})
	}
	if owner {
		where.Inputs = append(where.Inputs, templates.Input{Name: "allow_private_network", Label: "May reach the private networks that the operator lists", Kind: templates.InputCheck, Value: "yes", Checked: w.AllowPrivateNetwork})
	}
	what := templates.FormGroup{Title: "Events"}
	for _, k := range notify.EventKinds() {
		in := templates.Input{Name: "event-" + k.Kind, Label: k.Kind, Hint: k.Summary, Kind: templates.InputCheck, Value: "yes"}
		for _, have := range w.Events {
			in.Checked = in.Checked || have == k.Kind
		}
		what.Inputs = append(what.Inputs, in)
	}
	return []templates.FormGroup{where, what}
}

// fillWebhook puts what was typed into a webhook.
func fillWebhook(w *store.Webhook, typed url.Values, owner bool) {
	w.URL = strings.TrimSpace(typed.Get("url"))
	w.Disabled = typed.Get("disabled") == "yes"
	if owner {
		w.AllowPrivateNetwork = typed.Get("allow_private_network") == "yes"
	}
	w.Events = []string{}
	for _, k := range notify.EventKinds() {
		if typed.Get("event-"+k.Kind) == "yes" {
			w.Events = append(w.Events, k.Kind)
		}
	}
}

func newWebhookPage(groups []templates.FormGroup) templates.FormPage {
	return templates.FormPage{
		Title: "Add a webhook", Back: "/webhooks", BackTitle: "Webhooks", Action: "/new/webhook", Submit: "Add",
		Intro: "Calls are signed as Standard Webhooks says. The secret is shown once, on the next page.", Groups: groups,
	}
}

func (h *Handler) showNewWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawForm(w, r, p, newWebhookPage(webhookForm(store.Webhook{OrganizationID: r.URL.Query().Get("organization")}, isOwner(p), true)), nil)
}

func (h *Handler) doNewWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	hook := store.Webhook{OrganizationID: strings.TrimSpace(r.PostForm.Get("organization"))}
	fillWebhook(&hook, r.PostForm, isOwner(p))
	in := createWebhookInput{Body: createWebhookBody{
		Organization:  hook.OrganizationID,
		WebhookFields: WebhookFields{URL: &hook.URL, Events: hook.Events, AllowPrivateNetwork: &hook.AllowPrivateNetwork},
	}}
	if hook.OrganizationID != "" {
		p = p.within(hook.OrganizationID)
	}
	out, err := h.createWebhook(r.Context(), p, &in)
	if err != nil {
		h.drawForm(w, r, p, newWebhookPage(webhookForm(hook, isOwner(p), true)), err)
		return
	}
	r.SetPathValue("webhook", out.Body.Webhook.ID)
	h.drawWebhook(w, r, p, out.Body.Secret)
}

func editWebhookPage(w store.Webhook, owner bool, revision int64) templates.FormPage {
	return templates.FormPage{
		Title: "Change the webhook", Back: webhookURL(w.ID, ""), BackTitle: w.URL, Action: webhookURL(w.ID, "/edit"), Submit: "Save",
		Groups: webhookForm(w, owner, false), Hidden: []templates.Field{{Name: "revision", Value: strconv.FormatInt(revision, 10)}},
	}
}

func (h *Handler) showEditWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	hook, err := h.webhook(r.Context(), r.PathValue("webhook"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawForm(w, r, p, editWebhookPage(hook, isOwner(p), hook.Revision), nil)
}

func (h *Handler) doEditWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	id, owner := r.PathValue("webhook"), isOwner(p)
	revision, _ := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64) // 0 is nobody's
	typed := store.Webhook{ID: id}
	fillWebhook(&typed, r.PostForm, owner)
	_, err := h.editWebhook(r.Context(), p, id, "webhook.update", Precondition{}, &revision, func(hook *store.Webhook) { fillWebhook(hook, r.PostForm, owner) })
	if err != nil {
		h.drawForm(w, r, p, editWebhookPage(typed, owner, revision), err)
		return
	}
	http.Redirect(w, r, webhookURL(id, "?done=webhook-saved"), http.StatusSeeOther)
}

func (h *Handler) doTestWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	id := r.PathValue("webhook")
	out, err := h.testWebhook(r.Context(), p, &WebhookPath{ID: id})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, webhookURL(id, "/deliveries/"+url.PathEscape(out.Body.ID)+"?done=queued"), http.StatusSeeOther)
}

func (h *Handler) doRotateWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	in := rotateWebhookSecretInput{WebhookPath: WebhookPath{ID: r.PathValue("webhook")}}
	in.Body.KeepOldSeconds = 24 * 60 * 60
	out, err := h.rotateWebhookSecret(r.Context(), p, &in)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawWebhook(w, r, p, out.Body.Secret)
}

func (h *Handler) doDeleteWebhook(w http.ResponseWriter, r *http.Request, p Principal) {
	if _, err := h.deleteWebhook(r.Context(), p, &deleteWebhookInput{WebhookPath: WebhookPath{ID: r.PathValue("webhook")}}); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/webhooks?done=removed", http.StatusSeeOther)
}

func (h *Handler) doRedeliver(w http.ResponseWriter, r *http.Request, p Principal) {
	in := DeliveryPath{WebhookPath{ID: r.PathValue("webhook")}, r.PathValue("delivery")}
	if _, err := h.redeliver(r.Context(), p, &in); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, webhookURL(in.ID, "/deliveries/"+url.PathEscape(in.Delivery)+"?done=queued"), http.StatusSeeOther)
}
