package rehearsal

import (
	"time"

	"gatehouse/store"
)

// Outcome of a finished test.
type Outcome string

// Outcomes. Only the first three mean that the connection works.
const (
	WouldSignIn Outcome = "would_sign_in"
	WouldWait   Outcome = "would_wait"
	WouldRefuse Outcome = "would_refuse"
	Cancelled   Outcome = "cancelled" // at the provider
	Failed      Outcome = "failed"
)

// Works reports whether the provider's part went well.
func (o Outcome) Works() bool { return o == WouldSignIn || o == WouldWait || o == WouldRefuse }

// Result of a test login, tab by tab. Values are masked; the rest is our words,
// or short texts of the provider that are no secret.
type Result struct {
	At      time.Time `json:"at"`
	Outcome Outcome   `json:"outcome" enum:"would_sign_in,would_wait,would_refuse,cancelled,failed"`
	// Fault is why it failed.
	Fault *Fault `json:"fault,omitempty"`
	// Token and Profile are the answers of the provider.
	Token   []Document `json:"token_response"`
	Profile []Document `json:"profile_response"`
	// Identity: what each selector matched and found.
	Identity Identity `json:"identity"`
	// Admission is the decision that would be made.
	Admission *Admission `json:"admission,omitempty"`
	// Claims the app would get.
	Claims   *Claims  `json:"claims,omitempty"`
	Warnings []string `json:"warnings"`

	plain  []store.Secret
	struck []string
	spent  int  // bytes of plain
	ours   bool // the values at hand are claims of ours
}

// Fault says what went wrong, whose fault it is and what to do.
type Fault struct {
	Code  string `json:"code"`
	Blame string `json:"blame"`
	Why   string `json:"why,omitempty"`
	Means string `json:"means"`
	Do    string `json:"do"`
}

// Document is one answer of a provider, flattened.
type Document struct {
	// Endpoint that answered; id_token is the verified claims inside the token
	// response, which no endpoint sent by themselves.
	Endpoint  string  `json:"endpoint"`
	From      string  `json:"from,omitempty"`
	Status    int     `json:"status,omitempty"`
	MediaType string  `json:"media_type,omitempty"`
	Bytes     int     `json:"bytes"`
	Values    []Value `json:"values"`
	// Note says why there are no values, or that there are more.
	Note string `json:"note,omitempty"`
}

// Value is one value at its path. Number names it for Reveal; 0 is nothing to
// reveal: Shown is all there is.
type Value struct {
	Path   string `json:"path"`
	Kind   string `json:"kind" enum:"text,number,truth,nothing,list,object"`
	Shown  string `json:"shown"`
	Secret bool   `json:"secret,omitempty"`
	Number int    `json:"number,omitempty"`
}

// Identity of the person, as it would be kept.
type Identity struct {
	Issuer    string      `json:"issuer,omitempty"`
	Subject   *Value      `json:"subject,omitempty"`
	Verified  string      `json:"email_verified,omitempty" doc:"What the provider says about the address: true, false or absent"`
	Selectors []Selection `json:"selectors"`
}

// Selection is one selector: what it matched and found.
type Selection struct {
	Attribute string `json:"attribute"`
	Path      string `json:"path"`
	Source    string `json:"source,omitempty" doc:"Document it was found in, or looked for last"`
	Matched   bool   `json:"matched"`
	Why       string `json:"why,omitempty" doc:"Why nothing was found"`
	Optional  bool   `json:"optional,omitempty"`
	// Values found.
	Values []Value `json:"values"`
	// Proposals would have found something.
	Proposals []Proposal `json:"proposals,omitempty"`
}

// Proposal is a selector that would match.
type Proposal struct {
	Path        string `json:"path"`
	Source      string `json:"source"`
	Cardinality string `json:"cardinality,omitempty"`
	Sample      string `json:"sample"`
}

// Admission is what would become of the person.
type Admission struct {
	Decision     string `json:"decision"`
	Organization string `json:"organization"`
	Reason       string `json:"reason,omitempty"`
	Why          string `json:"why"`
	Sentence     string `json:"sentence,omitempty" doc:"What the person would read"`
}

// Claims that the app would get if it asked for all of its scopes.
type Claims struct {
	Client   string   `json:"client"`
	Scopes   []string `json:"scopes"`
	Note     string   `json:"note,omitempty"`
	IDToken  []Value  `json:"id_token"`
	Userinfo []Value  `json:"userinfo"`
}

// Empty is a result with nothing in it yet. No text that holds one of the
// secrets is kept: they went in, and do not come out by way of a provider that
// repeats them.
func Empty(secrets ...store.Secret) Result {
	r := Result{Token: []Document{}, Profile: []Document{}, Warnings: []string{}}
	r.Identity.Selectors = []Selection{}
	for _, s := range secrets {
		if len(s.Reveal()) >= 4 {
			r.struck = append(r.struck, s.Reveal())
		}
	}
	return r
}

// Fail says what went wrong.
func (r *Result) Fail(code, blame, why string) {
	known := store.TraceCodeOf(code)
	r.Outcome = Failed
	r.Fault = &Fault{Code: code, Blame: blame, Why: r.clean(why), Means: known.Means, Do: known.Do}
}

// Each calls fn with every value and the tab it is on.
func (r *Result) Each(fn func(tab string, v Value)) {
	all := func(tab string, values []Value) {
		for _, v := range values {
			fn(tab, v)
		}
	}
	for _, d := range r.Token {
		all("token response", d.Values)
	}
	for _, d := range r.Profile {
		all(d.Endpoint+" response", d.Values)
	}
	if r.Identity.Subject != nil {
		fn("identity", *r.Identity.Subject)
	}
	for _, s := range r.Identity.Selectors {
		all("identity", s.Values)
	}
	if r.Claims != nil {
		all("claims of the ID token", r.Claims.IDToken)
		all("claims of userinfo", r.Claims.Userinfo)
	}
}
