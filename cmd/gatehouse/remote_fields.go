package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// fieldKind is how a flag becomes a member of a request's body.
type fieldKind int

const (
	flagText fieldKind = iota
	flagList
	flagYesNo
	flagNumber
	flagJSON       // the flag names a file with JSON
	flagSecretFile // the flag names a file, so that no secret stands in the process list
)

// field is one flag of a create or update command.
type field struct {
	flag, member string
	kind         fieldKind
	usage        string
}

// fields are the flags of a command that make up its body.
type fields struct {
	defs    []field
	strings map[string]*string
	lists   map[string]*[]string
	bools   map[string]*bool
	from    string
}

// bind adds a flag per field, and --from for a JSON file with all of it.
func bind(cmd *cobra.Command, defs []field) *fields {
	f := &fields{defs: defs, strings: map[string]*string{}, lists: map[string]*[]string{}, bools: map[string]*bool{}}
	for _, d := range defs {
		switch d.kind {
		case flagList:
			f.lists[d.flag] = cmd.Flags().StringSlice(d.flag, nil, d.usage)
		case flagYesNo:
			f.bools[d.flag] = cmd.Flags().Bool(d.flag, false, d.usage)
		default:
			f.strings[d.flag] = cmd.Flags().String(d.flag, "", d.usage)
		}
	}
	cmd.Flags().StringVar(&f.from, "from", "", "JSON file with the fields (- for standard input); flags win over it")
	return f
}

// body is --from with the flags that were given over it.
func (f *fields) body(cmd *cobra.Command) (map[string]any, error) {
	body := map[string]any{}
	if f.from != "" {
		raw, err := readInput(cmd, f.from)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &body); err != nil {
			return nil, fmt.Errorf("%s is not a JSON object: %w", f.from, err)
		}
	}
	for _, d := range f.defs {
		if !cmd.Flags().Changed(d.flag) {
			continue
		}
		switch d.kind {
		case flagList:
			body[d.member] = append([]string{}, *f.lists[d.flag]...)
		case flagYesNo:
			body[d.member] = *f.bools[d.flag]
		case flagNumber:
			n, err := strconv.ParseInt(*f.strings[d.flag], 10, 64)
			if err != nil {
				return nil, usagef("--%s must be a whole number", d.flag)
			}
			body[d.member] = n
		case flagJSON:
			raw, err := readInput(cmd, *f.strings[d.flag])
			if err != nil {
				return nil, err
			}
			var value any
			if err := json.Unmarshal(raw, &value); err != nil {
				return nil, fmt.Errorf("--%s: %s is not JSON: %w", d.flag, *f.strings[d.flag], err)
			}
			body[d.member] = value
		case flagSecretFile:
			raw, err := readInput(cmd, *f.strings[d.flag])
			if err != nil {
				return nil, err
			}
			body[d.member] = strings.TrimRight(string(raw), "\r\n")
		default:
			body[d.member] = *f.strings[d.flag]
		}
	}
	return body, nil
}

func readInput(cmd *cobra.Command, path string) ([]byte, error) {
	var from io.Reader = cmd.InOrStdin()
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	raw, err := io.ReadAll(io.LimitReader(from, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return raw, nil
}

// group is a command that only holds others.
func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	cmd.AddCommand(sub...)
	return cmd
}

// newShowCommand prints one thing.
func (r *remote) newShowCommand(use, short string, path func(args []string) string, args int) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(args)}
	calls(cmd, "GET "+path(names(args)))
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		var out map[string]any
		if err := r.call(cmd.Context(), "GET", path(args), nil, &out); err != nil {
			return err
		}
		return r.printOne(cmd.OutOrStdout(), out)
	})
	return cmd
}

// action is a command that changes one thing and says so.
type action struct {
	use, short   string
	method       string
	path         func(args []string) string
	args         int
	fields       []field
	fromArgs     []string // members filled from the arguments
	body         bool     // a body is sent even when empty
	revision     bool     // takes --revision
	done         string   // sentence, %s is the first argument; "" prints the answer
	once         string   // member of the answer that is shown this once
	onceSentence string
}

func (r *remote) newActionCommand(a action) *cobra.Command {
	cmd := &cobra.Command{Use: a.use, Short: a.short, Args: cobra.ExactArgs(a.args)}
	calls(cmd, a.method+" "+a.path(names(a.args)))
	var given *fields
	if a.fields != nil {
		given = bind(cmd, a.fields)
	}
	var revision int64
	if a.revision {
		cmd.Flags().Int64Var(&revision, "revision", 0, "fail unless this is still the stored revision")
	}
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		var body any
		if given != nil || a.body {
			members := map[string]any{}
			if given != nil {
				var err error
				if members, err = given.body(cmd); err != nil {
					return err
				}
			}
			for i, name := range a.fromArgs {
				if name != "" && i < len(args) {
					members[name] = args[i]
				}
			}
			body = members
		}
		match := ""
		if revision > 0 {
			match = `"` + strconv.FormatInt(revision, 10) + `"`
		}
		var out map[string]any
		if err := r.call(cmd.Context(), a.method, a.path(args), body, &out, "If-Match", match); err != nil {
			return err
		}
		switch {
		case r.json && out != nil:
			return printJSON(cmd.OutOrStdout(), out)
		case a.once != "" && member(out, a.once) != nil:
			_, err := fmt.Fprintf(cmd.OutOrStdout(), a.onceSentence+"\n%s\n", readable(member(out, a.once)))
			return err
		case a.done != "" && !r.json:
			first := ""
			if len(args) > 0 {
				first = args[0]
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.ReplaceAll(a.done, "%s", line(first)))
			return err
		}
		return nil
	})
	return cmd
}
