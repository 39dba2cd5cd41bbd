package templates

import (
	"net/http"
	"time"
)

// RequestsPage is the queue of access requests. Each waiting one can be decided
// here: button id="approve-ID"; textarea name="reason" and button
// id="refuse-ID" behind a disclosure.
type RequestsPage struct {
	Frame    Frame
	Requests []Request
	Next     string // address of the next page, or ""
	// Decided says that the list shows decided requests, not the queue.
	Decided bool
	// Other is the address of the other list (queue or decided), or "".
	Other string
	// Bulk is where the ticked requests are posted as "request", with the button
	// do=approve or do=refuse and one reason for all; "" leaves it out. Elements:
	// checkbox id="pick-ID", button id="bulk-approve", button id="bulk-refuse".
	Bulk string
}

// Request is one access request. What the provider vouches for and what nobody
// proved are kept apart.
type Request struct {
	ID            string
	Name          string
	Email         string
	EmailVerified bool   // the provider says so, with JSON true
	PictureURL    string // https, or a letter stands in
	Organization  string
	Connection    string // title of the provider that vouches
	App           string // the app the person came for
	At            time.Time
	Expires       time.Time
	Facts         []Fact // further facts from the provider
	State         string // "pending", "approved", "refused", "expired"
	DecidedBy     string
	DecidedAt     time.Time
	Reason        string
	Detail        string // address of its own page
	Approve       string // where approval is posted; "" when it cannot be given
	Refuse        string // where refusal is posted; "" when it cannot be given

	Wish     bool      // a member asks for the app
	Changed  time.Time // the provider said something else since the person asked
	Snapshot string    // names the facts shown, posted with the approval
	Typed    string    // what the person wrote; nobody vouches for it
	Messages []Said    // questions and answers
	Given    []Fact    // what the approval gave
	Ask      string    // where a question is posted; "" leaves it out
	Full     bool      // role, groups and apps can be chosen
	Roles    []Option  // of the approval
	Groups   string    // the same, filled in: separated by commas
	Apps     string
	Pick     bool // can be ticked
}

// Said is a question of an approver, or an answer of the person.
type Said struct {
	By   string // who asks; "" is the person
	Text string
	At   time.Time
}

// Fact is one thing the provider says about the person.
type Fact struct{ Label, Value string }

// Initial is the letter that stands in for a missing picture.
func (r Request) Initial() string {
	if r.Name != "" {
		return initial(r.Name)
	}
	return initial(r.Email)
}

// Tone colours the state.
func (r Request) Tone() Tone {
	switch r.State {
	case "approved":
		return ToneGood
	case "refused":
		return ToneBad
	case "pending":
		return ToneWarn
	}
	return ToneNone
}

// requestView is one request with what its forms need.
type requestView struct {
	Request
	CSRF string
}

// Rows pairs each request with the token of its forms, for the template.
func (p RequestsPage) Rows() []requestView {
	rows := make([]requestView, len(p.Requests))
	for i, r := range p.Requests {
		rows[i] = requestView{r, p.Frame.CSRF}
	}
	return rows
}

// Requests draws the page.
func (t *Templates) Requests(w http.ResponseWriter, status int, p RequestsPage) error {
	return t.framed(p.Frame).render(w, status, "requests", policySelf(), p)
}

// RequestPage is one access request with all its facts. Elements as on
// RequestsPage.
type RequestPage struct {
	Frame   Frame
	Request Request
	Back    string // address of the queue
}

// Row is the request with the token of its forms, for the template.
func (p RequestPage) Row() requestView { return requestView{p.Request, p.Frame.CSRF} }

// Request draws the page.
func (t *Templates) Request(w http.ResponseWriter, status int, p RequestPage) error {
	return t.framed(p.Frame).render(w, status, "request", policySelf(), p)
}
