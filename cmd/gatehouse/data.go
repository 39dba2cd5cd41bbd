package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// data is an open data file: the records and, for the metrics, the engine below.
type data struct {
	*store.Store
	engine *bolt.Engine
}

// openStore opens existing data with the existing key.
func openStore(ctx context.Context, cfg *config, environ []string) (*data, error) {
	keyring, err := loadKeyring(cfg, environ)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(cfg.Data); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no data file %s: restore it, mount its volume, or run `gatehouse init` for a new installation", cfg.Data)
	}
	return openData(ctx, cfg, keyring)
}

// openData opens the data file, or makes an empty one.
func openData(ctx context.Context, cfg *config, keyring *store.Keyring) (*data, error) {
	engine, err := bolt.Open(ctx, cfg.Data, bolt.Options{})
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, engine, store.Config{Keyring: keyring, Traces: cfg.Traces.Keep})
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return &data{Store: st, engine: engine}, nil
}
