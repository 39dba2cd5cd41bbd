package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

type listConnectionsInput struct {
	Paging
	Organization string `query:"organization" maxLength:"63" doc:"Only this organization's"`
}

// ConnectionPath names a connection.
type ConnectionPath struct {
	ID string `path:"connection" maxLength:"63"`
}

func (h *Handler) routeConnections(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/connections", In: anywhere, Name: "list-connections", Summary: "List connections", Tag: "connections"},
		func(ctx context.Context, _ Principal, in *listConnectionsInput) (*pageOutput[connectionView], error) {
			page, err := h.listConnections(ctx, in.Paging, in.Organization)
			return &pageOutput[connectionView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/connections/{connection}", In: byObject, Name: "get-connection", Summary: "Show a connection", Tag: "connections"},
		func(ctx context.Context, _ Principal, in *ConnectionPath) (*one[connectionView], error) {
			c, err := h.connection(ctx, in.ID)
			return &one[connectionView]{etag(c.Revision), h.viewConnection(c)}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/connections/{connection}/record", In: byObject, Name: "get-connection-record", Summary: "The record as people write it, without its secrets: what PUT takes", Tag: "connections"}, h.connectionRecord)
	endpoint(t, Admin, operation{Method: "GET", Path: "/connections/{connection}/references", In: byObject, Name: "list-connection-references", Summary: "What still refers to a connection", Tag: "connections"}, h.connectionReferences)
	endpoint(t, Admin, operation{Method: "POST", Path: "/connections", In: byBody, Name: "create-connection", Summary: "Add a connection", Status: http.StatusCreated, Tag: "connections"}, h.createConnection)
	endpoint(t, Admin, operation{Method: "PUT", Path: "/connections/{connection}", In: anywhere, Name: "put-connection", Summary: "Add or replace a connection by its whole record (schemas/connection.json); secrets that are left out stay", Tag: "connections"}, h.putConnection)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/connections/{connection}", In: byObject, Name: "update-connection", Summary: "Change a connection", Tag: "connections"}, h.updateConnection)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/connections/{connection}", In: byObject, Name: "delete-connection", Dangerous: true, Summary: "Remove a connection; its id is never given out again. 409 with a list while something refers to it, unless force=true", Status: http.StatusNoContent, Tag: "connections"}, h.deleteConnection)
}

func (h *Handler) connection(ctx context.Context, id string) (c store.Connection, err error) {
	err = h.store.View(ctx, func(tx store.Tx) error {
		c, err = h.store.Connections.Get(tx, id)
		return err
	})
	return c, err
}

func (h *Handler) listConnections(ctx context.Context, in Paging, organization string) (Page[connectionView], error) {
	return listOf(ctx, h, in, listing[store.Connection]{
		name: "connections", all: h.store.Connections.List, organization: organization,
		of: func(tx store.Tx, organization string, p store.Page) ([]store.Connection, string, error) {
			return h.store.Connections.ByIndex(tx, "organization", organization, p)
		},
	}, plain(h.viewConnection))
}

type recordOutput struct {
	ETag string `header:"ETag"`
	Body json.RawMessage
}

func (h *Handler) connectionRecord(ctx context.Context, _ Principal, in *ConnectionPath) (*recordOutput, error) {
	c, err := h.connection(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	raw, err := federation.EncodeConnection(c)
	return &recordOutput{etag(c.Revision), raw}, err
}

type createConnectionInput struct{ Body createConnectionBody }

func (in *createConnectionInput) organization() string { return in.Body.Organization }

type createConnectionBody struct {
	ID           string `json:"id" maxLength:"63" doc:"Slug in the callback path, chosen once and never given out again"`
	Organization string `json:"organization" maxLength:"63"`
	ConnectionFields
}

func (h *Handler) createConnection(ctx context.Context, p Principal, in *createConnectionInput) (*one[connectionView], error) {
	c := store.Connection{
		ID: in.Body.ID, OrganizationID: in.Body.Organization, Kind: store.KindOIDC,
		Scopes: []string{"openid", "profile", "email"}, UseUserinfo: true, Selectors: profile.DefaultSelectors(),
	}
	if k := in.Body.Kind; k != nil && *k != string(store.KindOIDC) {
		c.Scopes, c.UseUserinfo, c.Selectors = nil, false, profile.Selectors{}
	}
	in.Body.apply(&c)
	saved, err := h.addConnection(ctx, p, c)
	return &one[connectionView]{etag(saved.Revision), h.viewConnection(saved)}, err
}

// addConnection checks and keeps a new connection.
func (h *Handler) addConnection(ctx context.Context, p Principal, c store.Connection) (saved store.Connection, err error) {
	c.Meta = store.Meta{}
	p = p.within(c.OrganizationID)
	if err := h.checkConnection(p, store.Connection{}, &c); err != nil {
		return store.Connection{}, err
	}
	err = h.change(ctx, p, func(ch *store.Change) error {
		if err := h.namesExist(ch.Tx, p, c); err != nil {
			return err
		}
		if err := h.store.Connections.Insert(ch.Tx, c); err != nil {
			return err
		}
		if saved, err = h.store.Connections.Get(ch.Tx, c.ID); err != nil {
			return err
		}
		return ch.Record("connection.create", "connection/"+c.ID, h.connectionDifference(nil, &saved))
	})
	return saved, err
}

type putConnectionInput struct {
	ConnectionPath
	Precondition
	Body json.RawMessage
}

func (h *Handler) putConnection(ctx context.Context, p Principal, in *putConnectionInput) (*one[connectionView], error) {
	saved, err := h.saveRecord(ctx, p, in.ID, in.Body, in.Precondition, nil)
	return &one[connectionView]{etag(saved.Revision), h.viewConnection(saved)}, err
}

// saveRecord adds or replaces a connection by its whole record. revision, if
// given, is what the change was made from.
func (h *Handler) saveRecord(ctx context.Context, p Principal, id string, raw []byte, pre Precondition, revision *int64) (store.Connection, error) {
	before, err := h.connection(ctx, id)
	if errors.Is(err, store.ErrNotFound) && pre.IfMatch == "" && revision == nil {
		c, err := decodeRecord(raw, id, store.Connection{})
		if err != nil {
			return store.Connection{}, err
		}
		return h.addConnection(ctx, p, c)
	}
	if err != nil {
		return store.Connection{}, err
	}
	p = p.about("connection", id)
	if err := h.allowed(ctx, p); err != nil {
		return store.Connection{}, err
	}
	// What it is about is decided inside the change: here only the text is read.
	if _, err := decodeRecord(raw, id, before); err != nil {
		return store.Connection{}, err
	}
	return h.editConnection(ctx, p, id, pre, revision, func(c *store.Connection) error {
		after, err := decodeRecord(raw, id, *c)
		if err == nil && after.OrganizationID != c.OrganizationID {
			err = fault("organization", "cannot be changed: people of one company are not moved to another")
		}
		*c = after
		return err
	})
}

// decodeRecord reads a record that stands at the path of an id, which need not
// be repeated in it.
func decodeRecord(raw []byte, id string, before store.Connection) (store.Connection, error) {
	c, err := federation.DecodeConnection(raw, before)
	if err != nil {
		return c, err
	}
	if c.ID == "" {
		c.ID = id
	}
	if c.ID != id {
		return c, fault("id", "is not the connection's: an id is chosen once")
	}
	return c, nil
}

type updateConnectionInput struct {
	ConnectionPath
	Precondition
	Body updateConnectionBody
}

type updateConnectionBody struct {
	Revision *int64 `json:"revision,omitempty" doc:"As read; 409 when it is no longer the stored one"`
	ConnectionFields
}

func (h *Handler) updateConnection(ctx context.Context, p Principal, in *updateConnectionInput) (*one[connectionView], error) {
	saved, err := h.editConnection(ctx, p, in.ID, in.Precondition, in.Body.Revision, func(c *store.Connection) error {
		in.Body.apply(c)
		return nil
	})
	return &one[connectionView]{etag(saved.Revision), h.viewConnection(saved)}, err
}

// editConnection changes a stored connection. Its revision goes up, so that
// logins in flight start again.
func (h *Handler) editConnection(ctx context.Context, p Principal, id string, pre Precondition, revision *int64, edit func(*store.Connection) error) (saved store.Connection, err error) {
	err = h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Connections.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		if err := pre.match(before.Meta, revision); err != nil {
			return err
		}
		after, err := h.store.Connections.Get(ch.Tx, id) // a copy of its own: checks may canonicalize in place
		if err != nil {
			return err
		}
		if err := edit(&after); err != nil {
			return err
		}
		if err := h.checkConnection(p, before, &after); err != nil {
			return err
		}
		if err := h.namesExist(ch.Tx, p, after); err != nil {
			return err
		}
		if err := h.store.Connections.Put(ch.Tx, after); err != nil {
			return err
		}
		if saved, err = h.store.Connections.Get(ch.Tx, id); err != nil {
			return err
		}
		detail := h.connectionDifference(&before, &saved)
		for name, secrets := range map[string][2]store.Sealed{
			"client_secret": {before.ClientSecret, after.ClientSecret}, "private_key": {before.PrivateKey, after.PrivateKey},
		} {
			if !sameSecret(secrets[0], secrets[1]) {
				detail[name] = "changed"
			}
		}
		return ch.Record("connection.update", "connection/"+id, detail)
	})
	if err == nil {
		h.federation.Forget(id)
	}
	return saved, err
}

// sameSecret compares two secrets; what cannot be opened is like nothing.
func sameSecret(a, b store.Sealed) bool {
	x, err1 := a.Reveal()
	y, err2 := b.Reveal()
	return err1 == nil && err2 == nil && x == y
}

type deleteConnectionInput struct {
	ConnectionPath
	Precondition
	Force bool `query:"force" doc:"Remove it although something refers to it"`
}

func (h *Handler) deleteConnection(ctx context.Context, p Principal, in *deleteConnectionInput) (*none, error) {
	err := h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Connections.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := in.match(before.Meta, nil); err != nil {
			return err
		}
		refs, err := h.references(ch.Tx, before)
		if err != nil {
			return err
		}
		if len(refs) > 0 && !in.Force {
			return stillReferred(refs)
		}
		if err := h.store.Connections.Delete(ch.Tx, in.ID); err != nil {
			return err
		}
		detail := h.connectionDifference(&before, nil)
		if len(refs) > 0 {
			detail["forced"] = refs
		}
		return ch.Record("connection.delete", "connection/"+in.ID, detail)
	})
	if err == nil {
		h.federation.Forget(in.ID)
	}
	return nil, err
}
