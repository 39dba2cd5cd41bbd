package federation

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"gatehouse/profile"
	"gatehouse/store"
)

// maxIDToken bounds the compact form; claims beyond 64 KiB are refused by the
// JSON reader.
const maxIDToken = 96 << 10

// DefaultAlgorithms are accepted on ID tokens of connections that list none.
func DefaultAlgorithms() []string {
	return []string{"ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
}

// algorithms is the connection's fixed allow-list. A stored record that names a
// symmetric algorithm or none is not believed (J1–J3).
func algorithms(conn *store.Connection) []string {
	if len(conn.Algorithms) == 0 {
		return DefaultAlgorithms()
	}
	return slices.DeleteFunc(slices.Clone(conn.Algorithms), func(a string) bool {
		return !slices.Contains(DefaultAlgorithms(), a)
	})
}

// header is what we use of a JOSE header. Keys and URLs of keys that it may
// carry (jwk, jku, x5u, x5c) are ignored: keys come from the provider's JWKS (J5).
type header struct {
	alg      string
	keyID    string
	hasKeyID bool
}

// parseHeader refuses everything but a plain signed JWT before any cryptography.
func parseHeader(raw string, allowed []string) (header, error) {
	bad := func(code, format string, args ...any) (header, error) {
		return header{}, fault(BlameProvider, code, format, args...)
	}
	if len(raw) > maxIDToken {
		return bad(CodeIDTokenMalformed, "the ID token has %d bytes, at most %d are read", len(raw), maxIDToken)
	}
	switch strings.Count(raw, ".") {
	case 2:
	case 4:
		return bad(CodeIDTokenHeader, "the ID token is encrypted")
	default:
		return bad(CodeIDTokenMalformed, "the ID token is not a signed JWT in compact form")
	}
	encoded, _, _ := strings.Cut(raw, ".")
	plain, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return bad(CodeIDTokenMalformed, "the ID token's header is not base64url")
	}
	o, err := parseObject("ID token header", CodeIDTokenMalformed, plain, profile.Limits{})
	if err != nil {
		return header{}, err
	}
	for _, name := range []string{"crit", "b64", "zip", "enc", "cty"} {
		if _, present := o[name]; present {
			return bad(CodeIDTokenHeader, "the ID token's header has the member %s", name)
		}
	}
	if typ, present := o["typ"]; present {
		s, _ := typ.(string)
		if !strings.EqualFold(s, "JWT") && !strings.EqualFold(s, "application/jwt") {
			return bad(CodeIDTokenType, "the typ is %s: another kind of token", quoted(s))
		}
	}
	var h header
	h.alg, _ = o["alg"].(string)
	if !slices.Contains(allowed, h.alg) {
		return bad(CodeIDTokenAlgorithm, "alg is %s; this connection accepts %s", quoted(h.alg), strings.Join(allowed, " "))
	}
	if kid, present := o["kid"]; present {
		if h.keyID, h.hasKeyID = kid.(string); !h.hasKeyID || len(h.keyID) > 1024 {
			return bad(CodeIDTokenMalformed, "the kid is not text of at most 1024 bytes")
		}
	}
	return h, nil
}

// idToken is a verified one.
type idToken struct {
	subject  string
	authTime time.Time
	acr      string
	amr      []string
	payload  []byte // the claims set, for selectors
}

// verifyIDToken does OpenID Connect Core §3.1.3.7 and what DESIGN §6 adds.
func (f *Federation) verifyIDToken(ctx context.Context, conn *store.Connection, u *upstream, jwks, raw string, e expected) (idToken, error) {
	h, err := parseHeader(raw, algorithms(conn))
	if err != nil {
		return idToken{}, err
	}
	store.Note(ctx, store.Algorithm("alg", h.alg), store.Hash("kid", h.keyID))
	fetch := f.fetchKeys(conn, u, jwks)
	ks, version, err := u.keys.get(ctx, f, fetch)
	if err != nil {
		return idToken{}, err
	}
	payload, err := ks.verify(raw, h)
	if renewable(err) {
		// The provider may have rotated its keys just now (K3).
		if newer, ok := u.keys.renew(ctx, f, version, e.now, fetch); ok {
			payload, err = newer.verify(raw, h)
		} else if known, isOurs := AsError(err); isOurs {
			known.Temporary = true // its new keys could not be had, or not yet
		}
	}
	if err != nil {
		return idToken{}, err
	}
	store.Note(ctx, store.Passed("signature"))
	e.passed = func(check store.Detail) { store.Note(ctx, check) }
	t, err := e.check(payload)
	if err != nil {
		return idToken{}, err
	}
	return t, e.secondOpinion(ctx, raw, payload, h.alg)
}

// renewable reports whether newer keys could make a difference.
func renewable(err error) bool {
	e, ok := AsError(err)
	return ok && (e.Code == CodeIDTokenKeyUnknown || e.Code == CodeIDTokenKeyUnfit || e.Code == CodeIDTokenSignature)
}

// verify checks the signature and returns the payload.
func (ks keySet) verify(raw string, h header) ([]byte, error) {
	k, err := ks.pick(h)
	if err != nil {
		return nil, err
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(h.alg)})
	if err != nil {
		return nil, fault(BlameProvider, CodeIDTokenMalformed, "the ID token cannot be read")
	}
	payload, err := jws.Verify(k.public)
	if err != nil {
		return nil, fault(BlameProvider, CodeIDTokenSignature, "the signature is not by key %s", quoted(k.id))
	}
	return payload, nil
}

// secondOpinion asks go-oidc about the same token. It has its own reading of
// issuer, audience and expiry; where it is the stricter one, it wins.
func (e expected) secondOpinion(ctx context.Context, raw string, payload []byte, alg string) error {
	verifier := oidc.NewVerifier(e.issuer, verifiedPayload(payload), &oidc.Config{
		ClientID: e.clientID, SupportedSigningAlgs: []string{alg},
		Now: func() time.Time { return e.now.Add(-skew) },
	})
	t, err := verifier.Verify(ctx, raw)
	if err != nil {
		return fault(BlameProvider, CodeIDTokenRejected, "go-oidc: %s", quoted(err.Error()))
	}
	// at_hash binds the access token to this ID token. An algorithm whose hash
	// is unknown is an error in there, never a pass (J17).
	if t.AccessTokenHash != "" && !e.alone {
		if err := t.VerifyAccessToken(e.accessToken); err != nil {
			return fault(BlameProvider, CodeIDTokenAccessTokenHash, "at_hash is not of this access token")
		}
	}
	return nil
}

// verifiedPayload gives go-oidc what keySet.verify has already verified.
type verifiedPayload []byte

// VerifySignature implements oidc.KeySet.
func (p verifiedPayload) VerifySignature(context.Context, string) ([]byte, error) { return p, nil }
