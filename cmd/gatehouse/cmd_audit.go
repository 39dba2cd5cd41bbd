package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"gatehouse/store"
)

// auditFilters are the flags that narrow lists and exports, and their queries.
func auditFilters() []column {
	return []column{{"actor", "actor"}, {"action", "action"}, {"target", "target"}, {"organization", "organization"}, {"since", "since"}, {"until", "until"}}
}

func newAuditCommand(r *remote) *cobra.Command {
	return group("audit", "Audit: who changed what",
		r.newListCommand(listing{
			use: "list", short: "List audit entries, newest first", path: "/audit",
			columns: []column{{"seq", "seq"}, {"when", "at"}, {"who", "actor"}, {"what", "action"}, {"on", "target"}, {"organization", "organization"}, {"via", "via"}, {"from", "from"}},
			filters: auditFilters(),
		}),
		r.newShowCommand("show NUMBER", "Show an entry: who, what, before and after", below("/audit/entries/", 0, ""), 1),
		r.newAuditExportCommand(),
		r.newAuditVerifyCommand(),
	)
}

func (r *remote) newAuditExportCommand() *cobra.Command {
	var out string
	flags := auditFilters()
	values := make([]string, len(flags))
	cmd := &cobra.Command{
		Use: "export", Short: "Write entries as JSON lines, oldest first", Args: cobra.NoArgs,
		Long:    "Write entries as JSON lines, oldest first, in the bytes that are stored. An export of the whole audit can be checked by itself: gatehouse audit verify --file.",
		Example: "  gatehouse audit export --out audit.jsonl\n  gatehouse audit export --since 2026-05-01T00:00:00Z --organization acme",
	}
	calls(cmd, "GET /audit/export")
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file that is made anew (- for standard output)")
	for i, f := range flags {
		cmd.Flags().StringVar(&values[i], f.title, "", "only this "+f.title)
	}
	cmd.RunE = r.run(func(cmd *cobra.Command, _ []string) (err error) {
		query := url.Values{}
		for i, f := range flags {
			if values[i] != "" {
				query.Set(f.member, values[i])
			}
		}
		w := cmd.OutOrStdout()
		if out != "-" {
			file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // where its caller says
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			w = file
		}
		return r.stream(cmd.Context(), "/audit/export?"+query.Encode(), w)
	})
	return cmd
}

// stream copies an answer of any length.
func (r *remote) stream(ctx context.Context, path string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/api/v1"+path, nil)
	if err != nil {
		return err
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	client := *r.client
	client.Timeout = 0 // as long as it takes; the context ends it
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the admin listener does not answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 300 {
		raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return problemOf(res.StatusCode, raw)
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("the export ended early: %w", err)
	}
	return nil
}

func (r *remote) newAuditVerifyCommand() *cobra.Command {
	var file, expect string
	cmd := &cobra.Command{
		Use: "verify", Short: "Check the whole chain for altered, missing or moved entries", Args: cobra.NoArgs,
		Long: `Check the whole chain and name the first entry that was altered, moved or
removed. It prints the newest entry: keep that elsewhere, and give it to a later
check with --expect-head. That also shows when the last entries of a file were
cut off, or when everything was written anew.`,
		Example: "  gatehouse audit verify --expect-head 1042:9f86d0…\n  gatehouse audit verify --file audit.jsonl",
	}
	calls(cmd, "GET /audit/verify")
	cmd.Flags().StringVar(&file, "file", "", "check an export of the whole audit instead (- for standard input)")
	cmd.Flags().StringVar(&expect, "expect-head", "", "head of an earlier check, number:hash, that has to be in the chain")
	online := r.run(func(cmd *cobra.Command, _ []string) error {
		var out map[string]any
		query := url.Values{}
		if expect != "" {
			query.Set("expect", expect)
		}
		if err := r.call(cmd.Context(), "GET", "/audit/verify?"+query.Encode(), nil, &out); err != nil {
			return err
		}
		return r.printVerified(cmd.OutOrStdout(), out)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if file == "" {
			return online(cmd, args)
		}
		out, err := verifyAuditFile(cmd, file, expect)
		if err != nil {
			return err
		}
		return r.printVerified(cmd.OutOrStdout(), out)
	}
	return cmd
}

// verifyAuditFile checks an export without a server.
func verifyAuditFile(cmd *cobra.Command, path, expect string) (map[string]any, error) {
	var anchors []store.AuditAnchor
	if expect != "" {
		a, err := store.ParseAuditAnchor(expect)
		if err != nil {
			return nil, usagef("--expect-head: %w", err)
		}
		anchors = append(anchors, a)
	}
	from := cmd.InOrStdin()
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	report, err := store.VerifyAuditLines(from, anchors...)
	if err != nil && !errors.Is(err, store.ErrAudit) {
		return nil, err
	}
	out := map[string]any{"intact": err == nil, "entries": report.Entries, "first": report.First, "head": report.Head.String()}
	var fault *store.AuditFault
	if errors.As(err, &fault) {
		out["broken"], out["problem"] = fault.Seq, err.Error()
	}
	return out, nil
}

func (r *remote) printVerified(w io.Writer, out map[string]any) error {
	if r.json {
		if err := printJSON(w, out); err != nil {
			return err
		}
	}
	if out["intact"] != true {
		return errors.New(readable(out["problem"]))
	}
	if r.json {
		return nil
	}
	if _, err := fmt.Fprintf(w, "The audit is intact: %s entries.\n", readable(out["entries"])); err != nil {
		return err
	}
	if first := readable(out["first"]); first != "" && first != "0" && first != "1" {
		_, _ = fmt.Fprintf(w, "It begins at entry %s: older ones were removed when their time was over.\n", first)
	}
	if head := readable(out["head"]); head != "" {
		_, _ = fmt.Fprintf(w, "Newest entry, to keep elsewhere: %s\n", head)
	}
	return nil
}
