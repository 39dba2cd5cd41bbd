package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"gatehouse/store/bolt"
)

func newBackupCommand(env environment) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "backup <file>",
		Short: "Write a consistent copy of the data to a new file",
		Long: `Write a consistent copy of the data to a new file (mode 0600). Secrets in it
stay sealed: restoring needs the master key, which is not part of the backup.

The data must not be in use by a running Gatehouse.`,
		Example: "  gatehouse backup --config /etc/gatehouse.yaml /backup/gatehouse-$(date +%F).db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(path, env.Environ)
			if err != nil {
				return err
			}
			st, err := openStore(cmd.Context(), cfg, env.Environ)
			if errors.Is(err, bolt.ErrLocked) {
				return fmt.Errorf("%w: stop Gatehouse for the copy", err)
			}
			if err != nil {
				return err
			}
			if err := errors.Join(backup(cmd.Context(), st, args[0]), st.Close()); err != nil {
				return err
			}
			say(env, "wrote %s", args[0])
			return nil
		},
	}
	addConfigFlag(cmd, &path)
	return cmd
}

// backup writes under another name and links the finished file to its own, so
// that a file of that name is a whole backup and no other is overwritten.
func backup(ctx context.Context, st *data, path string) error {
	tmp := path + ".part-" + rand.Text()
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }()
	if err := errors.Join(st.Backup(ctx, f), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return os.Link(tmp, path)
}
