package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gatehouse/store"
)

func newInitCommand(env environment) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the master key and the empty data file of a new installation",
		Long: `Make the master key file (mode 0600) and the empty data file that the
configuration names. What exists is left as it is; a key is never made for data
that exists already, because only the key that sealed it can open it.`,
		Example: "  gatehouse init --config /etc/gatehouse.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path, env.Environ)
			if err != nil {
				return err
			}
			return initialize(cmd.Context(), cfg, env)
		},
	}
	addConfigFlag(cmd, &path)
	return cmd
}

func initialize(ctx context.Context, cfg *config, env environment) error {
	dataExists, err := exists(cfg.Data)
	if err != nil {
		return err
	}
	for _, file := range []string{cfg.Data, cfg.MasterKeyFile} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
	}
	keyring, err := loadKeyring(cfg, env.Environ)
	switch {
	case errors.Is(err, errNoMasterKey) && dataExists:
		return fmt.Errorf("%w; the data file %s exists and opens only with the key that sealed it", err, cfg.Data)
	case errors.Is(err, errNoMasterKey):
		if keyring, err = store.CreateKeyFile(cfg.MasterKeyFile); err != nil {
			return err
		}
		say(env, "made the master key %s: keep a copy, apart from the backups of the data", cfg.MasterKeyFile)
	case err != nil:
		return err
	default:
		say(env, "the master key exists")
	}
	st, err := openData(ctx, cfg, keyring)
	if err != nil {
		return err
	}
	if err := st.Close(); err != nil {
		return err
	}
	if dataExists {
		say(env, "the data file %s exists and opens with the key", cfg.Data)
	} else {
		say(env, "made the data file %s", cfg.Data)
	}
	say(env, "next: gatehouse serve, which prints a one-time link to make the first owner account")
	return nil
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func say(env environment, format string, args ...any) {
	_, _ = fmt.Fprintf(env.Stdout, format+"\n", args...)
}
