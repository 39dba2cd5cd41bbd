package admin

import (
	"context"

	"gatehouse/federation"
)

type schemaOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type presetsOutput struct{ Body presetList }

type presetList struct {
	Items []federation.Preset `json:"items"`
}

// routeSchemas publishes what connections are written by: the schema, for
// editors, and the presets. Neither holds anything of this installation.
func (h *Handler) routeSchemas(t *table) {
	endpoint(t, SignedIn, operation{Method: "GET", Path: "/schemas/connection.json", Name: "connection-schema", Summary: "JSON Schema of a connection", Tag: "connections"},
		func(context.Context, Principal, *struct{}) (*schemaOutput, error) {
			return &schemaOutput{"application/schema+json", federation.ConnectionSchema()}, nil
		})
	endpoint(t, SignedIn, operation{Method: "GET", Path: "/presets", Name: "list-presets", Summary: "What is known of providers, to begin a connection with", Tag: "connections"},
		func(context.Context, Principal, *struct{}) (*presetsOutput, error) {
			return &presetsOutput{presetList{federation.Presets()}}, nil
		})
}
