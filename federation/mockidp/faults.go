package mockidp

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Stage is the moment at which a fault strikes.
type Stage string

// The stages, in the order of a login. A fault of discovery or jwks cannot be asked
// for at the authorize endpoint: nothing ties those requests to a login.
const (
	StageDiscovery Stage = "discovery"
	StageJWKS      Stage = "jwks"
	StageAuthorize Stage = "authorize" // the authorize endpoint itself
	StageProfile   Stage = "profile"   // who the person is, in ID token and userinfo alike
	StageCallback  Stage = "callback"  // what is sent to the redirect URI
	StageToken     Stage = "token"     // the token endpoint's answer
	StageIDToken   Stage = "id_token"
	StageRefresh   Stage = "refresh" // token endpoint and ID token, refresh grant only
	StageUserinfo  Stage = "userinfo"
)

// Fault is one row of the table: a way to misbehave.
type Fault struct {
	Name        string `json:"name"`
	Stage       Stage  `json:"stage"`
	Description string `json:"description"`
	// Value is what the fault uses when armed without one; "" when it takes none.
	Value string `json:"value,omitempty"`

	// The effects; a row has exactly one.
	answer   func(a answer) bool                                 // answers the request; false: go on as usual
	edit     func(p *Provider, doc map[string]any, value string) // changes a JSON document
	callback func(p *Provider, params url.Values, value string)  // changes the redirect's parameters
	idToken  func(p *Provider, t *idToken, value string) error   // changes the ID token
}

// Faults is the whole table, by stage and name.
func Faults() []Fault {
	return slices.Concat(discoveryFaults(), jwksFaults(), authorizeFaults(), profileFaults(), callbackFaults(),
		tokenFaults(), idTokenFaults(), claimFaults(), refreshFaults(), userinfoFaults())
}

// active is a fault with the value it was armed with.
type active struct {
	*Fault
	value string
}

// armed is a fault that waits for its stage.
type armed struct {
	active
	left int // uses left; 0: until cleared
}

// faults is the table and what is armed of it.
type faults struct {
	table map[string]*Fault
	any   atomic.Bool // spares the lock when nothing is armed
	mu    sync.Mutex
	armed []armed
	fired map[string]int
}

func newFaults() *faults {
	return &faults{table: faultTable(), fired: map[string]int{}}
}

func faultTable() map[string]*Fault {
	table := map[string]*Fault{}
	for _, f := range Faults() {
		table[f.Name] = &f
	}
	return table
}

// parseArmed reads "name" or "name:value".
func parseArmed(s string) (active, error) { return newFaults().parse(s) }

func (f *faults) parse(s string) (active, error) {
	name, value, has := strings.Cut(s, ":")
	fault := f.table[name]
	if fault == nil {
		return active{}, fmt.Errorf("unknown fault %q; GET /mock/faults lists them all", name)
	}
	if has && fault.Value == "" {
		return active{}, fmt.Errorf("fault %s takes no value", name)
	}
	if !has {
		value = fault.Value
	}
	return active{fault, value}, nil
}

// SetFault arms a fault, "name" or "name:value", for the next count times its stage
// is reached; count 0 is until cleared. Arming again replaces the earlier arming.
func (p *Provider) SetFault(fault string, count int) error {
	a, err := p.faults.parse(fault)
	if err != nil {
		return err
	}
	if count < 0 {
		return fmt.Errorf("fault %s: count must not be negative", a.Name)
	}
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	p.faults.drop(a.Name)
	p.faults.armed = append(p.faults.armed, armed{a, count})
	p.faults.any.Store(true)
	return nil
}

// ClearFaults disarms everything and unpublishes the keys that faults published.
// Logins begun with a fault parameter keep it.
func (p *Provider) ClearFaults() {
	p.faults.mu.Lock()
	p.faults.armed = nil
	p.faults.any.Store(false)
	clear(p.faults.fired)
	p.faults.mu.Unlock()
	p.keys.dropExtras()
}

// FiredFaults counts how often each fault struck since the last ClearFaults.
func (p *Provider) FiredFaults() map[string]int {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	return maps.Clone(p.faults.fired)
}

func (f *faults) drop(name string) {
	f.armed = slices.DeleteFunc(f.armed, func(a armed) bool { return a.Name == name })
}

// take answers what strikes at a stage: of the login's own faults, and of the armed
// ones, which are used up by it.
func (f *faults) take(stage Stage, own []active) []active {
	var hit []active
	for _, a := range own {
		if a.Stage == stage {
			hit = append(hit, a)
		}
	}
	if len(hit) == 0 && !f.any.Load() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.armed {
		if a := &f.armed[i]; a.Stage == stage {
			hit = append(hit, a.active)
			if a.left--; a.left == 0 {
				a.left = usedUp
			}
		}
	}
	f.armed = slices.DeleteFunc(f.armed, func(a armed) bool { return a.left == usedUp })
	for i := range f.armed {
		f.armed[i].left = max(f.armed[i].left, 0) // until cleared counts nothing
	}
	f.any.Store(len(f.armed) > 0)
	for _, a := range hit {
		f.fired[a.Name]++
	}
	return hit
}

const usedUp = -1 << 31

// faultsOf is take for an endpoint, with the request's own ?fault= in addition.
// False: the parameter was wrong and the request is answered.
func (p *Provider) faultsOf(w http.ResponseWriter, r *http.Request, stage Stage, own []active) ([]active, bool) {
	asked, err := p.askedFaults(r.Form)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil, false
	}
	return p.faults.take(stage, slices.Concat(own, asked)), true
}

// askedFaults reads the fault parameters: repeated, or a list with commas.
func (p *Provider) askedFaults(form url.Values) ([]active, error) {
	var all []active
	for _, v := range form["fault"] {
		for name := range strings.SplitSeq(v, ",") {
			if name == "" {
				continue
			}
			a, err := p.faults.parse(name)
			if err != nil {
				return nil, err
			}
			all = append(all, a)
		}
	}
	return all, nil
}

// answered lets the faults answer the request in place of the endpoint.
func (p *Provider) answered(w http.ResponseWriter, r *http.Request, hit []active) bool {
	for _, f := range hit {
		if f.answer != nil && f.answer(answer{p, w, r, f.value}) {
			return true
		}
	}
	return false
}

func edit(p *Provider, doc map[string]any, hit []active) {
	for _, f := range hit {
		if f.edit != nil {
			f.edit(p, doc, f.value)
		}
	}
}
