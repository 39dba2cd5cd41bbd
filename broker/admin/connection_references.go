package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/store"
)

// maxCounted bounds the walk over identities.
const maxCounted = 10_000

// reference is one thing that would miss a connection.
type reference struct {
	Kind string `json:"kind" enum:"route,client,identity,access_request,connection"`
	// Name of the thing; of identities and requests how many there are.
	Name string `json:"name"`
	Says string `json:"says" doc:"What it is to the connection"`
}

type referencesOutput struct{ Body referenceList }

type referenceList struct {
	Items []reference `json:"items"`
}

func (h *Handler) connectionReferences(ctx context.Context, _ Principal, in *ConnectionPath) (*referencesOutput, error) {
	out := referenceList{Items: []reference{}}
	err := h.store.View(ctx, func(tx store.Tx) error {
		c, err := h.store.Connections.Get(tx, in.ID)
		if err != nil {
			return err
		}
		refs, err := h.references(tx, c)
		out.Items = append(out.Items, refs...)
		return err
	})
	return &referencesOutput{out}, err
}

// references lists what still refers to a connection: the routes that lead to
// it, apps that list it, people who came through it, newcomers who wait, and
// connections that name it.
func (h *Handler) references(tx store.Tx, c store.Connection) (refs []reference, err error) {
	for _, rule := range c.Domains {
		refs = append(refs, reference{"route", rule, "addresses of this domain are led to it"})
	}
	for client, err := range h.store.Clients.All(tx) {
		if err != nil {
			return nil, err
		}
		if slices.Contains(client.Connections, c.ID) {
			refs = append(refs, reference{"client", client.ID, "lists it among the connections that may sign in"})
		}
	}
	for other, err := range h.store.Connections.All(tx) {
		if err != nil {
			return nil, err
		}
		for _, n := range namedBy(other) {
			if n.id == c.ID && other.ID != c.ID {
				refs = append(refs, reference{"connection", other.ID, "names it in " + n.path})
			}
		}
	}
	n, err := h.store.Identities.CountByIndex(tx, "connection", c.ID, maxCounted)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		refs = append(refs, reference{"identity", counted(n), "people sign in through it, and could not any more"})
	}
	if n, err = h.store.AccessRequests.CountByIndex(tx, "connection_state", store.ConnectionState(c.ID, store.RequestPending), maxCounted); err != nil {
		return nil, err
	}
	if n > 0 {
		refs = append(refs, reference{"access_request", counted(n), "newcomers wait for a decision"})
	}
	return refs, nil
}

func counted(n int) string {
	if n >= maxCounted {
		return fmt.Sprintf("%d or more", maxCounted)
	}
	return strconv.Itoa(n)
}

func itoa(i int) string { return strconv.Itoa(i) }

// stillReferred refuses a removal and lists why.
func stillReferred(refs []reference) *huma.ErrorModel {
	details := make([]*huma.ErrorDetail, len(refs))
	for i, r := range refs {
		details[i] = &huma.ErrorDetail{Location: r.Kind + " " + r.Name, Message: r.Says}
	}
	return problem(http.StatusConflict, "Something still refers to this connection. Change it first, or remove the connection by force.", details...)
}
