package mockidp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// controlRoutes is the API with which a test steers the provider. It is open to
// everybody who reaches the provider, like the provider itself.
func (p *Provider) controlRoutes() {
	for pattern, serve := range map[string]func(r *http.Request) (any, error){
		"GET /mock/faults":       p.listFaults,
		"POST /mock/faults":      p.armFault,
		"DELETE /mock/faults":    p.disarmFaults,
		"POST /mock/keys/rotate": p.rotateKeys,
		"PUT /mock/users/{name}": p.putUser,
		"GET /mock/users/{name}": p.getUser,
		"PUT /mock/auto":         p.putAuto,
		"GET /mock/requests":     func(*http.Request) (any, error) { return p.Requests(), nil },
		"DELETE /mock/requests":  func(*http.Request) (any, error) { p.ClearRequests(); return nil, nil },
	} {
		p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			// A page in a browser on this machine must not be able to steer it.
			if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
				writeJSON(w, http.StatusForbidden, map[string]any{"error": "the control API is not for web pages"})
				return
			}
			doc, err := serve(r)
			switch {
			case err != nil:
				writeJSON(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
			case doc == nil:
				w.WriteHeader(http.StatusNoContent)
			default:
				writeJSON(w, http.StatusOK, doc)
			}
		})
	}
}

// readJSON reads a body strictly into v; an empty body leaves it as it is.
func readJSON(r *http.Request, v any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber() // numbers of profiles leave as they came
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("the body is not the expected JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body has more than one JSON value")
	}
	return nil
}

type armedFault struct {
	Fault string `json:"fault"`
	Value string `json:"value,omitempty"`
	Count int    `json:"count"`
}

func (p *Provider) listFaults(*http.Request) (any, error) {
	list := []armedFault{}
	p.faults.mu.Lock()
	for _, a := range p.faults.armed {
		list = append(list, armedFault{a.Name, a.value, a.left})
	}
	p.faults.mu.Unlock()
	return map[string]any{"faults": Faults(), "armed": list, "fired": p.FiredFaults()}, nil
}

func (p *Provider) armFault(r *http.Request) (any, error) {
	var in armedFault
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if in.Value != "" {
		if strings.Contains(in.Fault, ":") {
			return nil, errors.New("the value is given twice")
		}
		in.Fault += ":" + in.Value
	}
	return nil, p.SetFault(in.Fault, in.Count)
}

func (p *Provider) disarmFaults(*http.Request) (any, error) {
	p.ClearFaults()
	return nil, nil
}

func (p *Provider) rotateKeys(r *http.Request) (any, error) {
	var in Rotation
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	kid, err := p.RotateKeys(in)
	return map[string]any{"kid": kid}, err
}

func (p *Provider) putUser(r *http.Request) (any, error) {
	profile := map[string]any{}
	if err := readJSON(r, &profile); err != nil {
		return nil, err
	}
	return nil, p.SetUser(r.PathValue("name"), profile)
}

func (p *Provider) getUser(r *http.Request) (any, error) {
	name := r.PathValue("name")
	if problem := checkUsername(name); problem != "" {
		return nil, errors.New(problem)
	}
	return p.people.find(name).profile, nil
}

func (p *Provider) putAuto(r *http.Request) (any, error) {
	var in struct {
		User string `json:"user"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if problem := checkUsername(in.User); in.User != "" && problem != "" {
		return nil, errors.New(problem)
	}
	p.SetAuto(in.User)
	return nil, nil
}
