package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// broker is what the app knows of Gatehouse: nothing until the first sign-in,
// then what discovery said. A failed discovery is tried again the next time, so
// app and broker may start in any order.
type broker struct {
	config Config

	mu    sync.Mutex
	found *discovered
}

// discovered is the broker's own description of itself.
type discovered struct {
	provider   *oidc.Provider
	oauth2     oauth2.Config
	endSession string
	sendsIss   bool // RFC 9207
}

// discover returns what discovery says, asking at most once at a time.
func (b *broker) discover(ctx context.Context) (*discovered, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.found != nil {
		return b.found, nil
	}
	ctx, cancel := context.WithTimeout(b.context(ctx), 5*time.Second)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, b.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", b.config.Issuer, err)
	}
	var extra struct {
		EndSession string `json:"end_session_endpoint"`
		SendsIss   bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&extra); err != nil {
		return nil, fmt.Errorf("discover %s: %w", b.config.Issuer, err)
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if b.config.ClientSecret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	b.found = &discovered{
		provider:   provider,
		endSession: extra.EndSession,
		sendsIss:   extra.SendsIss,
		oauth2: oauth2.Config{
			ClientID:     b.config.ClientID,
			ClientSecret: b.config.ClientSecret,
			Endpoint:     endpoint,
			RedirectURL:  b.config.BaseURL + "/callback",
			Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
		},
	}
	return b.found, nil
}

// context makes x/oauth2 and go-oidc use our HTTP client.
func (b *broker) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, b.config.HTTPClient)
}
