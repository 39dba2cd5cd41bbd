package broker

import (
	"slices"
	"time"

	"github.com/ory/fosite"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// tokenSession is what fosite carries between a request and its tokens: the grant
// and the gate's word about it. It is read from the store for each request and
// never kept.
type tokenSession struct {
	grant    store.Grant
	standing provisioning.Standing // zero for client credentials
	// nextGeneration is of the refresh token this request would issue.
	nextGeneration int64
	challenge      string // PKCE, for the code being made
	expires        map[fosite.TokenType]time.Time
}

// SetExpiresAt implements fosite.Session. No token outlives its grant (trap 22).
func (s *tokenSession) SetExpiresAt(tt fosite.TokenType, at time.Time) {
	if s.expires == nil {
		s.expires = map[fosite.TokenType]time.Time{}
	}
	if end := s.grant.ExpiresAt; !end.IsZero() && at.After(end) {
		at = end
	}
	s.expires[tt] = wholeSeconds(at)
}

// GetExpiresAt implements fosite.Session.
func (s *tokenSession) GetExpiresAt(tt fosite.TokenType) time.Time { return s.expires[tt] }

// GetUsername implements fosite.Session; we have none.
func (s *tokenSession) GetUsername() string { return "" }

// GetSubject implements fosite.Session.
func (s *tokenSession) GetSubject() string { return s.grant.UserID }

// Clone implements fosite.Session by hand: it is on the refresh path.
func (s *tokenSession) Clone() fosite.Session {
	c := *s
	c.expires = make(map[fosite.TokenType]time.Time, len(s.expires))
	for k, v := range s.expires {
		c.expires[k] = v
	}
	c.grant.Scopes = slices.Clone(s.grant.Scopes)
	c.grant.Audience = slices.Clone(s.grant.Audience)
	return &c
}
