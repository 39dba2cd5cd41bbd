package broker

import (
	"slices"
	"time"

	"github.com/ory/fosite"

	"gatehouse/store"
)

// client shows a store.Client to fosite. It deliberately is no
// fosite.OpenIDConnectClient: that would switch on request objects, which
// v0.49.0 accepts unsigned (FOSITE.md trap 5).
type client struct{ store.Client }

func (c *client) GetID() string             { return c.ID }
func (c *client) GetHashedSecret() []byte   { return nil } // see authenticateClient
func (c *client) GetRedirectURIs() []string { return c.RedirectURIs }

// GetGrantTypes implements fosite.Client. The connection grant ends in a code of
// our own making, so who may use it may redeem codes; the authorization endpoint
// looks at the record itself.
func (c *client) GetGrantTypes() fosite.Arguments {
	if c.DirectGrants && !slices.Contains(c.GrantTypes, "authorization_code") {
		return append(slices.Clone(c.GrantTypes), "authorization_code")
	}
	return c.GrantTypes
}

func (c *client) GetResponseTypes() fosite.Arguments {
	return fosite.Arguments{"code"}
}
func (c *client) GetScopes() fosite.Arguments   { return c.Scopes }
func (c *client) IsPublic() bool                { return c.Public() }
func (c *client) GetAudience() fosite.Arguments { return c.Audiences }

// GetResponseModes implements fosite.ResponseModeClient.
func (c *client) GetResponseModes() []fosite.ResponseModeType {
	modes := []fosite.ResponseModeType{fosite.ResponseModeDefault, fosite.ResponseModeQuery}
	for _, m := range c.ResponseModes {
		if m == "form_post" {
			modes = append(modes, fosite.ResponseModeFormPost)
		}
	}
	return modes
}

// GetEffectiveLifespan implements fosite.ClientWithCustomTokenLifespans.
func (c *client) GetEffectiveLifespan(_ fosite.GrantType, tt fosite.TokenType, fallback time.Duration) time.Duration {
	switch {
	case tt == fosite.AccessToken && c.AccessTokenSeconds > 0:
		return time.Duration(c.AccessTokenSeconds) * time.Second
	case tt == fosite.RefreshToken && c.RefreshIdleSeconds > 0:
		return time.Duration(c.RefreshIdleSeconds) * time.Second
	}
	return fallback
}

// refreshAbsolute is how long a grant of the client may live.
func (c *client) refreshAbsolute(fallback time.Duration) time.Duration {
	if c.RefreshAbsoluteSeconds > 0 {
		return time.Duration(c.RefreshAbsoluteSeconds) * time.Second
	}
	return fallback
}
