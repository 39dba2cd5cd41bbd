package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// environment is what commands may touch of the world around them; tests pass
// their own.
type environment struct {
	Environ        []string // "NAME=value", as os.Environ
	Stdout, Stderr io.Writer
}

// run is the whole program: it returns when the command is done or ctx ends,
// with every goroutine gone, and gives the exit status: 0 done, 1 failed, 2 a
// command typed wrongly.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	root := newRootCommand(environment{Environ: environ, Stdout: stdout, Stderr: stderr})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(stderr, "gatehouse:", err)
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return 1
}

func newRootCommand(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Identity broker: company sign-in for your apps, over OpenID Connect",
		Long: `Gatehouse signs the users of your apps in at their companies' own identity
providers and gives the apps its own OpenID Connect tokens.

To look around:   gatehouse dev
To run it:        gatehouse init, then gatehouse serve, both with --config
To manage it:     the console on the admin listener, or the commands below`,
	}
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	const run, manage = "run", "manage"
	root.AddGroup(&cobra.Group{ID: run, Title: "Run:"}, &cobra.Group{ID: manage, Title: "Manage (through the admin API):"})
	for _, cmd := range []*cobra.Command{
		newDevCommand(env), newInitCommand(env), newCheckCommand(env), newServeCommand(env),
		newBackupCommand(env), newConfigCommand(), newMockIDPCommand(),
	} {
		cmd.GroupID = run
		root.AddCommand(cmd)
	}
	for _, cmd := range adminCommands(env) {
		cmd.GroupID = manage
		root.AddCommand(cmd)
	}
	root.AddCommand(newVersionCommand())
	prepare(root)
	return root
}

func addConfigFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "configuration file (YAML); without it, GATEHOUSE_* variables say everything")
}
