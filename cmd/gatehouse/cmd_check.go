package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"gatehouse/store/bolt"
)

func newCheckCommand(env environment) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say everything that is wrong with a configuration, without starting",
		Long: `Read the configuration and say everything that is wrong with it: fields,
certificates, master key and data file. The data file of a running Gatehouse is
in use and then not opened. Exit status 1 means there is a fault.`,
		Example: "  gatehouse check --config /etc/gatehouse.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path, env.Environ)
			if err != nil {
				return err
			}
			return check(cmd.Context(), cfg, env)
		},
	}
	addConfigFlag(cmd, &path)
	return cmd
}

// check tries what serve would do with the files, and reports all of it.
func check(ctx context.Context, cfg *config, env environment) error {
	for _, w := range cfg.warnings {
		say(env, "warning: %s", w)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	var found []error
	for _, pair := range []struct {
		field string
		files tlsFiles
	}{{"tls", cfg.TLS}, {"admin.tls", cfg.Admin.TLS}} {
		if _, err := loadTLS(pair.field, pair.files, quiet); err != nil {
			found = append(found, err)
		}
	}
	if err := checkData(ctx, cfg, env); err != nil {
		found = append(found, err)
	}
	if len(found) > 0 {
		return errors.Join(found...)
	}
	say(env, "the configuration is good")
	return nil
}

func checkData(ctx context.Context, cfg *config, env environment) error {
	st, err := openStore(ctx, cfg, env.Environ)
	switch {
	case errors.Is(err, bolt.ErrLocked):
		say(env, "the data file %s is in use, so it was not opened", cfg.Data)
		return nil
	case err != nil:
		return fmt.Errorf("data: %w", err)
	}
	return st.Close()
}
