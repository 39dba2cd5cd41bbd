package main

import (
	_ "embed"
	"fmt"

	"github.com/spf13/cobra"
)

// configSchema is made of the comments of config.go (`make docs`); a test holds
// it to them.
//
//go:embed config.schema.json
var configSchema string

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "About the configuration file"}
	cmd.AddCommand(&cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the configuration file, for editors",
		Example: `  gatehouse config schema > gatehouse.schema.json
  # first line of the configuration: # yaml-language-server: $schema=gatehouse.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), configSchema)
			return err
		},
	})
	return cmd
}
