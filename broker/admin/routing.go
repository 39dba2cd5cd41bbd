package admin

import (
	"context"
	"errors"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

type explainRouteInput struct {
	Address      string `query:"address" maxLength:"254" doc:"E-mail address as a person would type it"`
	Client       string `query:"client" maxLength:"63" doc:"App the login is for; its allow-lists count"`
	Connection   string `query:"connection" maxLength:"63" doc:"Connection the app asks for"`
	Organization string `query:"organization" maxLength:"63" doc:"Organization the app asks for"`
}

type explainRouteOutput struct{ Body explanationView }

// explanationView is where a login goes and why not elsewhere.
type explanationView struct {
	Address    string           `json:"address,omitempty" doc:"In canonical form"`
	Rule       string           `json:"rule" doc:"That won; empty when none covers the address"`
	Candidates []string         `json:"candidates" doc:"Connections: none, the one, or those to choose from"`
	Considered []consideredView `json:"considered" doc:"All that a rule brought up, in order of precedence"`
}

type consideredView struct {
	Connection   string `json:"connection"`
	Title        string `json:"title"`
	Organization string `json:"organization"`
	Rule         string `json:"rule"`
	Reason       string `json:"reason" doc:"won, or why not; docs/routing.md lists them"`
	Sentence     string `json:"sentence"`
}

type lintRoutesOutput struct{ Body lintView }

type lintView struct {
	Items []findingView `json:"items"`
}

type findingView struct {
	Code         string   `json:"code" doc:"docs/routing.md lists them"`
	Level        string   `json:"level" enum:"warning,note"`
	Rule         string   `json:"rule"`
	Connections  []string `json:"connections"`
	Organization string   `json:"organization,omitempty"`
	Problem      string   `json:"problem"`
	Fix          string   `json:"fix"`
}

func (h *Handler) routeRouting(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/routes/explain", Name: "explain-route", Summary: "Explain where a login goes, and why not elsewhere", Tag: "routes"}, h.explainRoute)
	endpoint(t, Admin, operation{Method: "GET", Path: "/routes/lint", Name: "lint-routes", Summary: "Look for routing rules that deserve a second look", Tag: "routes"}, h.lintRoutes)
}

func (h *Handler) explainRoute(ctx context.Context, _ Principal, in *explainRouteInput) (*explainRouteOutput, error) {
	q := federation.Query{ConnectionID: in.Connection, OrganizationID: in.Organization}
	switch {
	case in.Address != "":
		e, err := profile.ParseEmail(in.Address)
		if err != nil {
			return nil, fault("address", "is not an e-mail address (%s)", err)
		}
		q.Email = e
	case in.Connection == "" && in.Organization == "":
		return nil, fault("address", "is missing: give an address, a connection or an organization")
	}
	out := explanationView{Address: q.Email.String(), Candidates: []string{}, Considered: []consideredView{}}
	err := h.store.View(ctx, func(tx store.Tx) error {
		if in.Client != "" {
			c, err := h.store.Clients.Get(tx, in.Client)
			if errors.Is(err, store.ErrNotFound) {
				return fault("client", "names a client that does not exist")
			}
			if err != nil {
				return err
			}
			q.Client = c
		}
		e, err := h.federation.Explain(tx, q)
		if err != nil {
			return err
		}
		out.Rule = e.Rule
		for _, c := range e.Considered {
			if c.Reason == federation.ReasonWon {
				out.Candidates = append(out.Candidates, c.Connection.ID)
			}
			out.Considered = append(out.Considered, consideredView{
				Connection: c.Connection.ID, Title: c.Connection.Title, Organization: c.Connection.OrganizationID,
				Rule: c.Rule, Reason: string(c.Reason), Sentence: c.Reason.Sentence(),
			})
		}
		return nil
	})
	return &explainRouteOutput{out}, err
}

func (h *Handler) lintRoutes(ctx context.Context, _ Principal, _ *struct{}) (*lintRoutesOutput, error) {
	out := lintView{Items: []findingView{}}
	err := h.store.View(ctx, func(tx store.Tx) error {
		findings, err := h.federation.Lint(tx)
		for _, f := range findings {
			out.Items = append(out.Items, findingView{
				Code: f.Code, Level: f.Level, Rule: f.Rule, Connections: listed(f.Connections), Organization: f.Organization, Problem: f.Problem, Fix: f.Fix,
			})
		}
		return err
	})
	return &lintRoutesOutput{out}, err
}
