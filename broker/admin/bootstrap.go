package admin

import (
	"context"

	"gatehouse/broker/local"
)

// HashPassword makes the stored form of a console password, for whoever sets
// accounts up without the API.
func HashPassword(ctx context.Context, password string) (string, error) {
	return local.NewHasher().Hash(ctx, password)
}

// NewAPIToken makes the plain text of an API token; store its store.HashToken.
func NewAPIToken() string { return tokenPrefix + randomValue() }
