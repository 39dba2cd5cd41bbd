package store

import (
	"bytes"
	"slices"
	"sync"
)

// cacheBytes bounds each half of what a collection keeps decoded, counted as
// stored and with cacheEntry for what a record costs besides.
const (
	cacheBytes = 4 << 20
	cacheEntry = 512
)

// cache keeps decoded records beside the bytes they were decoded from. A hit
// needs those very bytes, just read in the caller's transaction, so it is never
// stale and never crosses transactions; it only saves verifying and decoding
// the same JSON again.
type cache[T any] struct {
	mu sync.RWMutex
	// A full young half becomes the old one, whose records are forgotten unless
	// they were asked for meanwhile: no bookkeeping on a hit, and no moment at
	// which everything is gone.
	young, old map[string]*cached[T]
	size       int // of young
}

type cached[T any] struct {
	raw []byte
	rec *T
}

func newCache[T any]() *cache[T] { return &cache[T]{young: map[string]*cached[T]{}} }

// get returns the kept record if raw is what it was decoded from, else nil. It
// is shared: nobody may alter it.
func (c *cache[T]) get(key string, raw []byte) *T {
	c.mu.RLock()
	hit, aging := c.young[key], false
	if hit == nil {
		hit, aging = c.old[key], true
	}
	c.mu.RUnlock()
	if hit == nil || !bytes.Equal(hit.raw, raw) {
		return nil
	}
	if aging {
		c.keep(key, hit)
	}
	return hit.rec
}

// put keeps rec, which nobody may alter from now on.
func (c *cache[T]) put(key string, raw []byte, rec *T) {
	c.keep(key, &cached[T]{raw: bytes.Clone(raw), rec: rec})
}

func (c *cache[T]) keep(key string, entry *cached[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before := c.young[key]; before != nil {
		c.size -= len(before.raw) + cacheEntry
	} else if c.size >= cacheBytes {
		c.young, c.old, c.size = map[string]*cached[T]{}, c.young, 0
	}
	c.young[key] = entry
	c.size += len(entry.raw) + cacheEntry
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

func cloneGrant(g Grant) Grant {
	for _, list := range []*[]string{&g.Scopes, &g.Audience, &g.AMR, &g.UserinfoClaims, &g.IDTokenClaims} {
		*list = slices.Clone(*list)
	}
	return g
}
