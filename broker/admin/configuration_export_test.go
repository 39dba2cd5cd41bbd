package admin

import (
	"context"
	"fmt"
	"log/slog"

	"gatehouse/federation"
	"gatehouse/provisioning/ownership"
	"gatehouse/store"
)

// Configurator is what reads and applies documents, without the rest of the
// listener: thousands are made in one test.
type Configurator struct{ h *Handler }

// NewConfigurator works on a store as the operator.
func NewConfigurator(s *store.Store, fed *federation.Federation) Configurator {
	return Configurator{&Handler{
		store: s, federation: fed, now: s.Now, log: slog.New(slog.DiscardHandler),
		ownership: ownership.New(ownership.Config{Store: s, Now: s.Now}),
	}}
}

func (c Configurator) operator() Principal {
	return Principal{UserID: Operator, Role: store.RoleOwner, Via: viaCLI, Name: Operator, credential: credential{operator: true}, gate: gate{level: Owner}}
}

// Export is the document and its fingerprint.
func (c Configurator) Export(ctx context.Context) (text, state string, err error) {
	out, err := c.h.exportConfiguration(ctx, c.operator(), nil)
	if err != nil {
		return "", "", err
	}
	return out.Body.Document, out.Body.Fingerprint, nil
}

// Run plans or applies and says how many objects change.
func (c Configurator) Run(ctx context.Context, text string, secrets map[string]string, prune, rehearse bool) (int, error) {
	plan, err := c.h.configure(ctx, c.operator(), ConfigurationInput{Document: text, Secrets: secrets, Prune: prune}, "", rehearse)
	return len(plan.Changes), err
}

// Describe is the plan of a document, for messages of tests.
func (c Configurator) Describe(ctx context.Context, text string, secrets map[string]string) string {
	plan, err := c.h.configure(ctx, c.operator(), ConfigurationInput{Document: text, Secrets: secrets}, "", true)
	return fmt.Sprintf("%+v %v", plan.Changes, err)
}
