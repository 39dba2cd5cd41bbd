package broker

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"
)

// newProvider plugs our client authentication, storage and token strategy into
// fosite. Only what we use is switched on: no implicit, hybrid or password
// grant, no PAR, no request objects. Every lazily defaulted field is set, for
// fosite writes them on the request path otherwise (FOSITE.md trap 27).
func (b *Broker) newProvider(strategy *strategy, storage *storage) *fosite.Fosite {
	conf := &config{Config: &fosite.Config{
		AccessTokenLifespan:           b.lifetimes.AccessToken,
		RefreshTokenLifespan:          b.lifetimes.RefreshIdle,
		AuthorizeCodeLifespan:         b.lifetimes.Code,
		IDTokenLifespan:               b.lifetimes.IDToken,
		IDTokenIssuer:                 b.issuer,
		AccessTokenIssuer:             b.issuer,
		TokenURL:                      b.issuer + pathToken,
		DisableRefreshTokenValidation: true,
		ScopeStrategy:                 fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:      fosite.ExactAudienceMatchingStrategy,
		OmitRedirectScopeParam:        true,
		RefreshTokenScopes:            []string{scopeOffline},
		MinParameterEntropy:           1, // state: ours is the rule, see authorizeForm
		ClientSecretsHasher:           noHasher{},
		ClientAuthenticationStrategy:  b.authenticateClient,
		JWKSFetcherStrategy:           noFetcher{},
		HTTPClient:                    &retryablehttp.Client{HTTPClient: &http.Client{Transport: noTransport{}}},
		GlobalSecret:                  make([]byte, 32), // our strategy uses none of it
		// Registered URIs were checked when they were registered.
		RedirectSecureChecker: func(context.Context, *url.URL) bool { return true },
	}}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: strategy, RefreshTokenStrategy: strategy, AuthorizeCodeStrategy: strategy,
		CoreStorage: storage, TokenRevocationStorage: storage, Config: conf,
	}
	proof := &pkce.Handler{AuthorizeCodeStrategy: strategy, Storage: storage, Config: conf}
	refresh := &oauth2.RefreshTokenGrantHandler{
		AccessTokenStrategy: strategy, RefreshTokenStrategy: strategy, TokenRevocationStorage: storage, Config: conf,
	}
	service := &oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: strategy, AccessTokenStorage: storage, Config: conf},
		Config:       conf,
	}
	// The order matters: code before PKCE, ID token last, when the access token is there to hash.
	conf.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code, proof}
	conf.TokenEndpointHandlers = fosite.TokenEndpointHandlers{code, proof, refresh, service, &idTokenHandler{b}}
	return fosite.NewOAuth2Provider(storage, conf)
}

// config is fosite's, with PKCE decided per client: by the record of the client
// the request is for, never by the request (SECURITY-CASES P8).
type config struct{ *fosite.Config }

// GetEnforcePKCE implements fosite.EnforcePKCEProvider. Without a client in the
// context it enforces.
func (c *config) GetEnforcePKCE(ctx context.Context) bool {
	for _, key := range []any{fosite.AccessRequestContextKey, fosite.AuthorizeRequestContextKey} {
		if req, ok := ctx.Value(key).(fosite.Requester); ok {
			if cl, ok := req.GetClient().(*client); ok {
				return needsPKCE(cl.Client)
			}
		}
	}
	return true
}

// GetEnforcePKCEForPublicClients implements fosite.EnforcePKCEForPublicClientsProvider.
func (c *config) GetEnforcePKCEForPublicClients(context.Context) bool { return true }

// noHasher, noFetcher and noTransport stand where fosite wants a way to hash
// secrets or to reach out; our own client authentication needs neither, so all
// of them refuse.
type (
	noHasher    struct{}
	noFetcher   struct{ fosite.JWKSFetcherStrategy }
	noTransport struct{}
)

var errNotUsed = errors.New("broker: fosite must not do this itself")

func (noHasher) Compare(context.Context, []byte, []byte) error      { return errNotUsed }
func (noHasher) Hash(context.Context, []byte) ([]byte, error)       { return nil, errNotUsed }
func (noTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNotUsed }
