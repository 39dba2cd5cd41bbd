package admin

import (
	"context"
	"slices"
)

// Setting is one line of the configuration as people may see it: never a secret.
type Setting struct {
	Name  string `json:"name" doc:"As in the configuration file, such as lifetimes.access_token"`
	Value string `json:"value"`
}

type settingsOutput struct{ Body settingsView }

type settingsView struct {
	Version  string    `json:"version"`
	Issuer   string    `json:"issuer"`
	AdminURL string    `json:"admin_url"`
	Items    []Setting `json:"items" doc:"Set in the configuration file; changed there"`
}

func (h *Handler) routeSettings(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/settings", Name: "show-settings", Summary: "Show what the configuration file says, without secrets", Tag: "settings"},
		func(context.Context, Principal, *struct{}) (*settingsOutput, error) {
			return &settingsOutput{h.settingsView()}, nil
		})
}

func (h *Handler) settingsView() settingsView {
	return settingsView{Version: h.version, Issuer: h.issuer, AdminURL: h.base.String(), Items: slices.Clone(h.fromFile)}
}
