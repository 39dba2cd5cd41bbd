package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"gatehouse/configuration"
	"gatehouse/store"
)

// maxConfigurationBody is a document of the greatest size with its characters
// escaped, and the secrets it refers to.
const maxConfigurationBody = 2*configuration.MaxBytes + 1<<20

// errRehearsed undoes a run that was made to see what it would do.
var errRehearsed = errors.New("admin: nothing is kept of a plan")

type configurationView struct {
	Document    string `json:"document" doc:"The whole configuration as YAML; secrets stand for themselves as {from: keep}"`
	Fingerprint string `json:"fingerprint" doc:"Of what is stored now"`
}

// ConfigurationInput is what plan and apply take.
type ConfigurationInput struct {
	Document string            `json:"document" doc:"YAML or JSON text, as export writes it"`
	Secrets  map[string]string `json:"secrets,omitempty" writeOnly:"true" doc:"What env: and file: references of the document stand for, by the whole reference"`
	Prune    bool              `json:"prune,omitempty" doc:"Remove what the document's sections do not name; their ids never come back"`
}

type planInput struct{ Body ConfigurationInput }

type applyInput struct{ Body applyBody }

type applyBody struct {
	ConfigurationInput
	Fingerprint string `json:"fingerprint,omitempty" maxLength:"64" doc:"Of the plan this was decided on: 409 when the configuration has moved on since"`
}

// configurationPlan is what a document would change, or has changed.
type configurationPlan struct {
	Fingerprint string          `json:"fingerprint" doc:"Of what the plan was made against"`
	Applied     bool            `json:"applied"`
	Changes     []plannedChange `json:"changes"`
}

// plannedChange is what happens to one object.
type plannedChange struct {
	Kind   string         `json:"kind" enum:"organization,domain,connection,client,webhook"`
	ID     string         `json:"id"`
	Action string         `json:"action" enum:"create,change,remove"`
	Fields []plannedField `json:"fields" doc:"What differs; none for a removal"`
	Notes  []string       `json:"notes" doc:"What follows from it"`
}

// plannedField is one field that differs. Of a secret only that it changes.
type plannedField struct {
	Path   string `json:"path"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
	Secret bool   `json:"secret,omitempty"`
}

func (h *Handler) routeConfiguration(t *table) {
	endpoint(t, Owner, operation{Method: "GET", Path: "/configuration", Name: "export-configuration", Summary: "The whole configuration as one document, without secrets", Tag: "configuration"}, h.exportConfiguration)
	endpoint(t, Owner, operation{Method: "POST", Path: "/configuration/plan", Name: "plan-configuration", MaxBody: maxConfigurationBody, Summary: "What a document would change, and everything that is wrong with it; nothing is kept", Tag: "configuration"}, h.planConfiguration)
	endpoint(t, Owner, operation{Method: "POST", Path: "/configuration/apply", Name: "apply-configuration", MaxBody: maxConfigurationBody, Dangerous: true, Summary: "Make the configuration what a document says: all of it or nothing", Tag: "configuration"}, h.applyConfiguration)
}

type exportOutput struct{ Body configurationView }

func (h *Handler) exportConfiguration(ctx context.Context, _ Principal, _ *struct{}) (*exportOutput, error) {
	stored, err := h.readConfigured(ctx)
	if err != nil {
		return nil, err
	}
	text, err := configuration.Write(stored.document())
	if err != nil {
		return nil, err
	}
	return &exportOutput{configurationView{string(text), fingerprint(stored.state)}}, nil
}

type planOutput struct{ Body configurationPlan }

func (h *Handler) planConfiguration(ctx context.Context, p Principal, in *planInput) (*planOutput, error) {
	plan, err := h.configure(ctx, p, in.Body, "", true)
	return &planOutput{plan}, err
}

func (h *Handler) applyConfiguration(ctx context.Context, p Principal, in *applyInput) (*planOutput, error) {
	plan, err := h.configure(ctx, p, in.Body.ConfigurationInput, in.Body.Fingerprint, false)
	return &planOutput{plan}, err
}

// configure runs a document against the store in one transaction: everything is
// written, then the whole is checked, and one fault undoes all of it. A plan is
// the same run, undone in any case: it says what would happen because it did.
func (h *Handler) configure(ctx context.Context, p Principal, in ConfigurationInput, expected string, rehearse bool) (configurationPlan, error) {
	doc, places, err := configuration.Parse([]byte(in.Document))
	if err != nil {
		return configurationPlan{}, err
	}
	prepared := h.prepareConfiguration(doc, in.Secrets)
	expectedState, err := h.stateOf(ctx, expected)
	if err != nil {
		return configurationPlan{}, err
	}
	var run *configurationRun
	err = h.change(ctx, p, func(ch *store.Change) error {
		stored, err := h.gatherConfiguration(ch.Tx)
		if err != nil {
			return err
		}
		if expected != "" && stored.state != expectedState {
			return errMoved()
		}
		run = &configurationRun{h: h, ch: ch, p: p, doc: doc, stored: stored, prune: in.Prune, prepared: prepared}
		if err := run.all(); err != nil {
			return err
		}
		if len(run.faults) > 0 {
			return run.located(places)
		}
		if rehearse || len(run.changes) == 0 {
			return errRehearsed
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRehearsed) {
		return configurationPlan{}, err
	}
	plan := configurationPlan{Fingerprint: fingerprint(run.stored.state), Applied: !rehearse, Changes: run.changes}
	if plan.Changes == nil {
		plan.Changes = []plannedChange{}
	}
	if !rehearse {
		for _, id := range run.forget {
			h.federation.Forget(id)
		}
	}
	return plan, nil
}

// stateOf reads what is stored and refuses when it is not what a plan was made
// against. Inside the change the two are compared again, without hashing.
func (h *Handler) stateOf(ctx context.Context, expected string) (string, error) {
	if expected == "" {
		return "", nil
	}
	stored, err := h.readConfigured(ctx)
	if err != nil {
		return "", err
	}
	if fingerprint(stored.state) != expected {
		return "", errMoved()
	}
	return stored.state, nil
}

func errMoved() error {
	return problem(http.StatusConflict, "The configuration has changed since the plan was made; nothing was applied. Look at a new plan, then apply that.")
}

func fingerprint(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:])
}
