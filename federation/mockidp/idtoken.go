package mockidp

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// login is one person signed in at one client: what codes and tokens stand for.
type login struct {
	client   string
	person   string // login name; "" for client_credentials
	scope    []string
	nonce    string
	authTime time.Time
	acr      string
	amr      []string
	faults   []active   // the login's own, from its authorize request
	grant    *codeGrant // what it began with; nil for client_credentials
}

func (l *login) has(scope string) bool { return slices.Contains(l.scope, scope) }

// scopeClaims says which scope releases a claim (OpenID Connect Core 1.0, section 5.4).
// Every other claim of a profile comes with scope profile.
func scopeOf(claim string) string {
	switch claim {
	case "email", "email_verified":
		return "email"
	case "phone_number", "phone_number_verified":
		return "phone"
	case "address":
		return "address"
	}
	return "profile"
}

// claims is the person's profile as the login's scopes and faults let it be seen.
func (p *Provider) claims(l *login) map[string]any {
	profile := p.people.find(l.person).profile
	for _, f := range l.faults {
		if f.Stage == StageProfile {
			profile = maps.Clone(profile)
			f.edit(p, profile, f.value)
		}
	}
	seen := make(map[string]any, len(profile)+12)
	for name, value := range profile {
		if name == "sub" || p.cfg.Shape.PlainOAuth2 || l.has(scopeOf(name)) {
			seen[name] = value
		}
	}
	return seen
}

// idToken is an ID token in the making; faults change it before it is signed.
type idToken struct {
	header, claims map[string]any
	key            *signingKey
	login          *login
	client         Client
	// payload, when set, is sent in place of the encoded claims.
	payload []byte
	// members are added behind the encoded claims as they are.
	members string
	// sign, when set, is used in place of the key.
	sign func(input []byte) ([]byte, error)
	// raw, when set, is sent in place of everything.
	raw string
}

// mint makes the ID token of a login (OpenID Connect Core 1.0, section 2).
func (p *Provider) mint(l *login, accessToken string, hit []active) (string, error) {
	now := p.cfg.Now()
	claims := map[string]any{}
	if p.cfg.UserinfoOnly {
		claims["sub"] = p.claims(l)["sub"]
	} else {
		claims = p.claims(l)
	}
	claims["iss"] = p.issuer
	claims["aud"] = l.client
	claims["iat"] = now.Unix()
	claims["exp"] = now.Add(p.cfg.IDTokenTTL).Unix()
	claims["auth_time"] = l.authTime.Unix()
	claims["acr"] = l.acr
	claims["amr"] = l.amr
	if l.nonce != "" {
		claims["nonce"] = l.nonce
	}
	key := p.keys.signer()
	claims["at_hash"] = halfHash(key.alg, accessToken)
	t := &idToken{
		header: map[string]any{"alg": key.alg, "kid": key.kid, "typ": "JWT"},
		claims: claims, key: key, login: l, client: p.clients[l.client],
	}
	for _, f := range hit {
		if f.idToken == nil {
			continue
		}
		if err := f.idToken(p, t, f.value); err != nil {
			return "", fmt.Errorf("fault %s: %w", f.Name, err)
		}
	}
	return t.encode()
}

// use signs with another key and says so in the header.
func (t *idToken) use(key *signingKey) {
	t.key = key
	t.header["alg"], t.header["kid"] = key.alg, key.kid
}

func (t *idToken) encode() (string, error) {
	if t.raw != "" {
		return t.raw, nil
	}
	header, err := json.Marshal(t.header)
	if err != nil {
		return "", fmt.Errorf("encoding the ID token's header: %w", err)
	}
	payload := t.payload
	if payload == nil {
		if payload, err = json.Marshal(t.claims); err != nil {
			return "", fmt.Errorf("encoding the ID token's claims: %w", err)
		}
	}
	if t.members != "" {
		payload = append(payload[:len(payload)-1:len(payload)-1], t.members+"}"...)
	}
	b64 := base64.RawURLEncoding
	token := make([]byte, 0, b64.EncodedLen(len(header))+b64.EncodedLen(len(payload))+2+512)
	token = b64.AppendEncode(token, header)
	token = append(token, '.')
	token = b64.AppendEncode(token, payload)
	sign := t.sign
	if sign == nil {
		sign = t.key.sign
	}
	sig, err := sign(token)
	if err != nil {
		return "", fmt.Errorf("signing the ID token: %w", err)
	}
	token = append(token, '.')
	return string(b64.AppendEncode(token, sig)), nil
}

// halfHash is at_hash (OpenID Connect Core 1.0, section 3.1.3.6). EdDSA uses SHA-512,
// as Ed25519 itself does.
func halfHash(alg, token string) string {
	if alg == "EdDSA" {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
