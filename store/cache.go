package store

import (
	"bytes"
	"slices"
	"sync"
)

// cacheSize bounds the records each collection keeps decoded.
const cacheSize = 4096

// cache keeps decoded records beside the bytes they were decoded from. A hit
// needs those very bytes, just read in the caller's transaction, so it is never
// stale and never crosses transactions; it only saves verifying and decoding
// the same JSON again. What it hands out shares nothing with what it keeps.
type cache[T any] struct {
	mu      sync.RWMutex
	records map[string]cached[T]
	clone   func(T) T
}

type cached[T any] struct {
	raw []byte
	rec T
}

func newCache[T any](clone func(T) T) *cache[T] {
	return &cache[T]{records: map[string]cached[T]{}, clone: clone}
}

// get copies the record out if raw is what it was decoded from.
func (c *cache[T]) get(key string, raw []byte, rec *T) bool {
	c.mu.RLock()
	hit, ok := c.records[key]
	c.mu.RUnlock()
	if !ok || !bytes.Equal(hit.raw, raw) {
		return false
	}
	*rec = c.clone(hit.rec)
	return true
}

// put keeps a copy. A full cache is emptied: that costs one round of decoding
// and needs no bookkeeping on every hit.
func (c *cache[T]) put(key string, raw []byte, rec *T) {
	entry := cached[T]{raw: bytes.Clone(raw), rec: c.clone(*rec)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.records) >= cacheSize {
		clear(c.records)
	}
	c.records[key] = entry
}

// The copies of the cached kinds. TestCacheSharesNothing finds a field that is
// forgotten here. A Sealed is never changed in place, so it may be shared.

func cloneOrganization(o Organization) Organization {
	for _, list := range []*[]string{&o.AutomaticGroups, &o.AutomaticClients, &o.Approvers, &o.Languages} {
		*list = slices.Clone(*list)
	}
	o.Texts, o.Rules = slices.Clone(o.Texts), slices.Clone(o.Rules)
	for i := range o.Rules {
		o.Rules[i].Groups, o.Rules[i].Clients = slices.Clone(o.Rules[i].Groups), slices.Clone(o.Rules[i].Clients)
	}
	return o
}

func cloneDomain(d Domain) Domain {
	d.Approvers = slices.Clone(d.Approvers)
	return d
}

func cloneConnection(c Connection) Connection {
	for _, list := range []*[]string{&c.Domains, &c.Scopes, &c.PublicHosts, &c.Algorithms, &c.ACRValues, &c.Profile.AllowedHosts} {
		*list = slices.Clone(*list)
	}
	if c.Apple != nil {
		apple := *c.Apple
		c.Apple = &apple
	}
	c.Parameters = slices.Clone(c.Parameters)
	for i := range c.Parameters {
		c.Parameters[i].In = slices.Clone(c.Parameters[i].In)
	}
	c.Profile.URLSelector = c.Profile.URLSelector.Clone()
	c.Selectors = c.Selectors.Clone()
	return c
}

func cloneClient(c Client) Client {
	for _, list := range []*[]string{
		&c.RedirectURIs, &c.PostLogoutRedirectURIs, &c.GrantTypes, &c.Scopes, &c.Audiences, &c.ResponseModes,
		&c.Organizations, &c.Connections, &c.ForwardParameters, &c.Origins,
	} {
		*list = slices.Clone(*list)
	}
	c.Secrets = slices.Clone(c.Secrets)
	return c
}

func cloneUser(u User) User {
	u.Attributes, u.Source = u.Attributes.Clone(), slices.Clone(u.Source)
	return u
}

func cloneIdentity(i Identity) Identity {
	i.Attributes = i.Attributes.Clone()
	return i
}

func cloneMembership(m Membership) Membership {
	m.Groups, m.Clients, m.Terms = slices.Clone(m.Groups), slices.Clone(m.Clients), slices.Clone(m.Terms)
	return m
}
