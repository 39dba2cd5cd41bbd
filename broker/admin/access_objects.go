package admin

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gatehouse/store"
)

// belonging is whose an object is. The zero value is nobody's but the
// platform's.
type belonging struct {
	organizations []string
	// jointly: to change it, the level is needed in each of the organizations;
	// else in one.
	jointly bool
	// everyones: whoever has the level somewhere may read it.
	everyones bool
}

func belongsTo(organization string) belonging {
	if organization == "" {
		return belonging{}
	}
	return belonging{organizations: []string{organization}}
}

// objectKinds are the wildcards of paths that name an object, and its kind. A
// path whose last wildcard is not here cannot be registered byObject.
func objectKinds() map[string]string {
	return map[string]string{
		"{connection}": "connection", "{request}": "request", "{user}": "user", "{session}": "session", "{grant}": "grant",
		"{client}": "client", "{invitation}": "invitation", "{webhook}": "webhook", "{delivery}": "delivery", "{entry}": "entry",
		"traces/{words}": "trace", "tests/{words}": "test",
	}
}

// belongingTo looks up whose an object is: ErrNotFound when there is none. It
// reads the store only, for it also runs inside changes.
func (h *Handler) belongingTo(tx store.Tx, kind, id string) (belonging, error) {
	switch kind {
	case "connection":
		c, err := h.store.Connections.Get(tx, id)
		return belongsTo(c.OrganizationID), err
	case "request":
		r, err := h.store.AccessRequests.Get(tx, id)
		return belongsTo(r.OrganizationID), err
	case "invitation":
		i, err := h.store.Invitations.Get(tx, id)
		return belongsTo(i.OrganizationID), err
	case "webhook":
		w, err := h.store.Webhooks.Get(tx, id)
		return belongsTo(w.OrganizationID), err
	case "delivery":
		d, err := h.store.Deliveries.Get(tx, id)
		if err != nil {
			return belonging{}, err
		}
		w, err := h.store.Webhooks.Get(tx, d.WebhookID)
		return belongsTo(w.OrganizationID), err
	case "entry":
		seq, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return belonging{}, store.ErrNotFound
		}
		e, err := h.store.AuditEntry(tx, seq)
		return belongsTo(e.OrganizationID), err
	case "client":
		c, err := h.store.Clients.Get(tx, id)
		return belonging{organizations: c.Organizations, jointly: true, everyones: err == nil && len(c.Organizations) == 0}, err
	case "user":
		if _, err := h.store.Users.Get(tx, id); err != nil {
			return belonging{}, err
		}
		return h.organizationsOf(tx, id)
	case "session":
		s, err := h.store.Sessions.ByUnique(tx, "sid", id)
		if err != nil {
			return belonging{}, err
		}
		return h.belongsToPerson(tx, s.OrganizationID, s.UserID)
	case "grant":
		g, err := h.store.Grants.Get(tx, id)
		if err != nil {
			return belonging{}, err
		}
		return h.belongsToPerson(tx, g.OrganizationID, g.UserID)
	case "trace":
		t, err := h.store.Traces.Find(tx, store.CleanWords(id))
		return belongsTo(t.OrganizationID), err
	case "test":
		t, err := h.testLogin(id)
		return belongsTo(t.Connection.OrganizationID), err
	}
	return belonging{}, fmt.Errorf("admin: there is no kind of object %q", kind)
}

// belongsToPerson: what came through no organization is its person's.
func (h *Handler) belongsToPerson(tx store.Tx, organization, userID string) (belonging, error) {
	if organization != "" {
		return belongsTo(organization), nil
	}
	return h.organizationsOf(tx, userID)
}

// organizationsOf: a person is shown to the admins of each of their
// organizations, and changed as a whole only by who is admin in all of them.
func (h *Handler) organizationsOf(tx store.Tx, userID string) (belonging, error) {
	b := belonging{jointly: true}
	for m, err := range h.store.Memberships.AllByIndex(tx, "user", userID) {
		if err != nil {
			return belonging{}, err
		}
		b.organizations = append(b.organizations, m.OrganizationID)
	}
	return b, nil
}

var wildcards = regexp.MustCompile(`([^/]*)/(\{[a-z_]+\})`)

// objectIn finds the object a path is about: its kind, and the wildcard that
// names it. kind is "" when there is none.
func objectIn(path string) (kind, wildcard string) {
	found := wildcards.FindAllStringSubmatch(path, -1)
	if len(found) == 0 {
		return "", ""
	}
	last, kinds := found[len(found)-1], objectKinds()
	wildcard = strings.Trim(last[2], "{}")
	if k := kinds[last[1]+"/"+last[2]]; k != "" {
		return k, wildcard
	}
	return kinds[last[2]], wildcard
}

// checkScope refuses a route whose scope its path or input cannot serve.
func (r *Route) checkScope() error {
	switch r.In {
	case inPlatform, anywhere:
		return nil
	case inOrganization:
		if strings.Contains(r.Path, "{organization}") {
			return nil
		}
		return errors.New("admin: route in an organization without {organization}: " + r.Method + " " + r.Path)
	case byObject:
		if kind, _ := objectIn(r.Path); kind != "" {
			return nil
		}
		return errors.New("admin: route by an object that nobody can look up: " + r.Method + " " + r.Path)
	case byBody:
		if r.namesOrganization {
			return nil
		}
		return errors.New("admin: route by a body that names no organization: " + r.Method + " " + r.Path)
	}
	return fmt.Errorf("admin: route with scope %d: %s %s", r.In, r.Method, r.Path)
}
