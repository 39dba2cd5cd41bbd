package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/configuration"
	"gatehouse/profile"
)

// errDiffers ends diff with exit status 2: the document is not what is stored.
type errDiffers struct{}

func (errDiffers) Error() string { return "the configuration differs from the document" }

// ExitCode is what the process ends with.
func (errDiffers) ExitCode() int { return 2 }

// newDiffCommand shows what apply would do.
func newDiffCommand(r *remote) *cobra.Command {
	var prune bool
	cmd := &cobra.Command{
		Use: "diff FILE", Short: "Show what a document would change", Args: cobra.ExactArgs(1),
		Long: `Show what gatehouse apply would change, field by field, and everything that is
wrong with the document. Nothing is kept. Exit status: 0 nothing would change,
1 something is wrong, 2 something would change.`,
		Example: "  gatehouse diff gatehouse-config.yaml",
	}
	calls(cmd, "POST /configuration/plan")
	cmd.Flags().BoolVar(&prune, "prune", false, "also remove what the document's sections do not name")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		body, err := r.document(cmd, args[0], prune)
		if err != nil {
			return err
		}
		plan, err := r.plan(cmd, body)
		if err != nil {
			return err
		}
		if len(plan.Changes) > 0 {
			return errDiffers{}
		}
		return nil
	})
	return cmd
}

// plan asks for the plan of a document and prints it.
func (r *remote) plan(cmd *cobra.Command, body map[string]any) (plan configurationPlan, err error) {
	if err := r.call(cmd.Context(), "POST", "/configuration/plan", body, &plan); err != nil {
		return plan, err
	}
	if r.json {
		return plan, printJSON(cmd.OutOrStdout(), plan)
	}
	plan.print(cmd.OutOrStdout())
	return plan, nil
}

// document reads a file and what its secrets refer to, as the API takes it.
func (r *remote) document(cmd *cobra.Command, path string, prune bool) (map[string]any, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = readInput(cmd, path)
	} else {
		text, err = os.ReadFile(path) //nolint:gosec // where its caller says
	}
	if err != nil {
		return nil, err
	}
	doc, _, err := configuration.Parse(text)
	if err != nil {
		return nil, documentFaults(path, err)
	}
	secrets := map[string]string{}
	var missing []string
	for _, from := range doc.References() {
		value, err := r.secretFrom(from, filepath.Dir(path))
		if err != nil {
			missing = append(missing, fmt.Sprintf("  %s: %v", from, err))
			continue
		}
		secrets[from] = value
	}
	if len(missing) > 0 {
		return nil, errors.New(line("Some secrets cannot be read:\n" + strings.Join(missing, "\n")))
	}
	return map[string]any{"document": string(text), "secrets": secrets, "prune": prune}, nil
}

// maxSecretFile bounds the file of a secret, in bytes.
const maxSecretFile = 64 << 10

// secretFrom reads what a reference names: a variable, or a file, whose relative
// path begins at the document. A line break at the end is not part of it.
func (r *remote) secretFrom(from, dir string) (string, error) {
	if name, ok := strings.CutPrefix(from, "env:"); ok {
		if value := r.variable(name); value != "" {
			return value, nil
		}
		return "", errors.New("the variable is not set")
	}
	path := strings.TrimPrefix(from, "file:")
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", errors.New("there is no such file")
	case !info.Mode().IsRegular() || info.Size() > maxSecretFile:
		return "", fmt.Errorf("it is no file of at most %d bytes", maxSecretFile)
	}
	raw, err := os.ReadFile(path) //nolint:gosec // named by the document its caller chose
	if err != nil {
		return "", errors.New("the file cannot be read")
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// documentFaults are all faults of a document's shape, a line each.
func documentFaults(path string, err error) error {
	lines := []string{path + " is not a configuration:"}
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				walk(e)
			}
			return
		}
		var f *profile.FieldError
		if !errors.As(err, &f) {
			lines = append(lines, "  "+err.Error())
			return
		}
		text := "  " + f.Path + ": " + f.Problem
		if f.Fix != "" {
			text += " (" + f.Fix + ")"
		}
		lines = append(lines, text)
	}
	walk(err)
	return errors.New(line(strings.Join(lines, "\n")))
}
