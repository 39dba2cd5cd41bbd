package broker

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"gatehouse/store"
)

// Prefixes tell our tokens from each other, and let secret scanners find them.
const (
	prefixCode    = "gh_ac_"
	prefixRefresh = "gh_rt_"
	prefixAccess  = "gh_at_"
)

func randomToken(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// strategy implements fosite's token strategies: codes and opaque access tokens
// are random and found by hash; refresh tokens are derived, see refreshToken;
// JWT access tokens are RFC 9068.
type strategy struct{ b *Broker }

// AuthorizeCodeSignature is what the storage finds a code by.
func (s *strategy) AuthorizeCodeSignature(_ context.Context, code string) string {
	return store.HashToken(code)
}

// GenerateAuthorizeCode makes a code of 256 random bits.
func (s *strategy) GenerateAuthorizeCode(context.Context, fosite.Requester) (string, string, error) {
	code := randomToken(prefixCode)
	return code, store.HashToken(code), nil
}

// ValidateAuthorizeCode has nothing left to do: the storage checked the times.
func (s *strategy) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error { return nil }

// RefreshTokenSignature is the token itself: it names its grant.
func (s *strategy) RefreshTokenSignature(_ context.Context, token string) string { return token }

// GenerateRefreshToken derives the token of the grant's next generation. The
// same request repeated derives the same token (SECURITY-CASES T2).
func (s *strategy) GenerateRefreshToken(_ context.Context, req fosite.Requester) (string, string, error) {
	sess, ok := req.GetSession().(*tokenSession)
	if !ok || sess.grant.Salt == "" {
		return "", "", errors.New("broker: refresh token without a grant")
	}
	t := refreshToken{GrantID: sess.grant.ID, Generation: sess.nextGeneration}
	text := t.text(s.b.refreshKeys[0], sess.grant.Salt)
	return text, text, nil
}

// ValidateRefreshToken has nothing left to do: the storage checked MAC and times.
func (s *strategy) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }

// refreshToken is gh_rt_<grant>.<generation>.<MAC>. Nothing of it is stored but
// the generation, in the grant: an older generation with a valid MAC is a token
// that was used before.
type refreshToken struct {
	GrantID    string
	Generation int64
	mac        string
}

func (t refreshToken) sign(key []byte, salt string) string {
	m := hmac.New(sha256.New, key)
	for _, part := range []string{t.GrantID, strconv.FormatInt(t.Generation, 10), salt} {
		m.Write([]byte(part))
		m.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (t refreshToken) text(key []byte, salt string) string {
	return prefixRefresh + t.GrantID + "." + strconv.FormatInt(t.Generation, 10) + "." + t.sign(key, salt)
}

// genuine compares the MAC under the active and every old key.
func (t refreshToken) genuine(keys [][]byte, salt string) bool {
	ok := false
	for _, k := range keys {
		ok = hmac.Equal([]byte(t.mac), []byte(t.sign(k, salt))) || ok
	}
	return ok && salt != ""
}

// parseRefreshToken splits a token; false for anything that is not one.
func parseRefreshToken(s string) (refreshToken, bool) {
	rest, ok := strings.CutPrefix(s, prefixRefresh)
	parts := strings.Split(rest, ".")
	if !ok || len(s) > 200 || len(parts) != 3 {
		return refreshToken{}, false
	}
	gen, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || gen < 1 || strconv.FormatInt(gen, 10) != parts[1] {
		return refreshToken{}, false
	}
	return refreshToken{GrantID: parts[0], Generation: gen, mac: parts[2]}, true
}

// AccessTokenSignature is what the storage keeps an opaque token under.
func (s *strategy) AccessTokenSignature(_ context.Context, token string) string {
	return store.HashToken(token)
}

// GenerateAccessToken makes the access token of a session that passed the gate.
func (s *strategy) GenerateAccessToken(_ context.Context, req fosite.Requester) (string, string, error) {
	sess, ok := req.GetSession().(*tokenSession)
	if !ok {
		return "", "", errors.New("broker: access token without a session")
	}
	if cl := req.GetClient().(*client); cl.OpaqueToken {
		token := randomToken(prefixAccess)
		return token, store.HashToken(token), nil
	}
	token, err := s.b.signAccessToken(req, sess)
	return token, store.HashToken(token), err
}

// ValidateAccessToken is not used: reading access tokens is bearer.go's.
func (s *strategy) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return errNotUsed
}

// wholeSeconds is how times go into tokens.
func wholeSeconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
