package admin

import "context"

// HashPassword makes the stored form of a console password, for whoever sets
// accounts up without the API.
func HashPassword(ctx context.Context, password string) (string, error) {
	return newHasher().hash(ctx, password)
}

// NewAPIToken makes the plain text of an API token; store its store.HashToken.
func NewAPIToken() string { return tokenPrefix + randomValue() }
