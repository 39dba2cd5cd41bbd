package admin

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"gatehouse/configuration"
	"gatehouse/provisioning/ownership"
	"gatehouse/store"
)

// prepared is what is made before the transaction, which may run more than
// once: challenges of new claims, and what references of secrets stand for.
type prepared struct {
	challenges []string // one for each domain of the document
	values     map[string]string
	hashes     map[string]string
	at         time.Time
}

func (h *Handler) prepareConfiguration(doc configuration.Document, secrets map[string]string) prepared {
	p := prepared{values: secrets, hashes: map[string]string{}, at: h.now().UTC()}
	for range doc.Domains {
		p.challenges = append(p.challenges, ownership.NewChallenge())
	}
	for reference, value := range secrets {
		p.hashes[reference] = store.HashToken(value)
	}
	return p
}

// given finds what a reference stands for; ok is false when it names no place,
// or nothing was sent for it, which is a fault.
func (c *configurationRun) given(s *configuration.Secret, path string) (value string, ok bool) {
	switch {
	case s == nil || s.From == configuration.SecretKeep || s.From == configuration.SecretNone:
		return "", false
	case !strings.HasPrefix(s.From, "env:") && !strings.HasPrefix(s.From, "file:"):
		c.faults.add(path+".from", "must be keep, none, env: and a variable, or file: and a path; never the secret itself")
		return "", false
	}
	value, ok = c.prepared.values[s.From]
	switch {
	case !ok:
		c.faults.add(path+".from", "is read where `gatehouse apply` runs, and nothing came along for it")
	case value == "":
		c.faults.add(path+".from", "leads to an empty text: write from: none to remove the secret")
		ok = false
	}
	return value, ok
}

// sealed is the secret of a record that a reference means. made: without a
// stored one it is made here, so that keep is no fault.
func (c *configurationRun) sealed(s *configuration.Secret, before store.Sealed, name, path string, made bool) (store.Sealed, []plannedField) {
	changes := []plannedField{{Path: name, Secret: true}}
	value, ok := c.given(s, path)
	switch {
	case ok:
		after := store.Seal(store.Secret(value))
		if sameSecret(before, after) {
			return before, nil
		}
		return after, changes
	case s != nil && s.From == configuration.SecretNone:
		if before.IsZero() {
			return before, nil
		}
		return store.Sealed{}, changes
	case s != nil && s.From == configuration.SecretKeep && before.IsZero() && !made:
		c.nothingToKeep(path)
	}
	return before, nil
}

func (c *configurationRun) nothingToKeep(path string) {
	c.faults.add(path+".from", "says keep, and no secret is stored here: name where it is with env: or file:")
}

// leastSecret is the fewest characters of an app's secret: 32 hex digits are
// 128 bits, below which a hash could be guessed.
const leastSecret = 32

// clientSecrets are the secrets of an app that a reference means. Another one
// than before takes the place of all.
func (c *configurationRun) clientSecrets(s *configuration.Secret, before []store.ClientSecret, path string) ([]store.ClientSecret, []plannedField) {
	changes := []plannedField{{Path: "client_secret", Secret: true}}
	value, ok := c.given(s, path)
	switch {
	case ok && (len(value) < leastSecret || !visibleASCII(value)):
		c.faults.add(path+".from", "leads to a secret that is too weak: give at least %d random characters", leastSecret)
	case ok:
		hash := c.prepared.hashes[s.From]
		if slices.ContainsFunc(before, func(b store.ClientSecret) bool {
			return b.Hash == hash && (b.ExpiresAt.IsZero() || c.prepared.at.Before(b.ExpiresAt))
		}) {
			return before, nil
		}
		return []store.ClientSecret{{Hash: hash, CreatedAt: c.prepared.at}}, changes
	case s != nil && s.From == configuration.SecretNone:
		if len(before) == 0 {
			return before, nil
		}
		return nil, changes
	case s != nil && s.From == configuration.SecretKeep && len(before) == 0:
		c.nothingToKeep(path)
	}
	return before, nil
}

// webhookSecret refuses what could not sign: Standard Webhooks secrets are
// whsec_ and the base64 of at least 24 bytes.
func (c *configurationRun) webhookSecret(s *configuration.Secret, path string) {
	value, ok := c.given(s, path)
	if !ok {
		return
	}
	encoded, prefixed := strings.CutPrefix(value, "whsec_")
	if key, err := base64.StdEncoding.DecodeString(encoded); err != nil || !prefixed || len(key) < 24 {
		c.faults.add(path+".from", "leads to something else than whsec_ and the base64 of at least 24 random bytes")
	}
}
