package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
)

// column is one column of a human table: a heading and a member of the item.
type column struct{ title, member string }

// listing describes a list command.
type listing struct {
	use, short, path string
	columns          []column
	filters          []column // flag, query parameter
	// below, with args, is the path of a list below something named by arguments.
	below func(args []string) string
	args  int
}

// newListCommand pages through a list until --limit items are there.
func (r *remote) newListCommand(l listing) *cobra.Command {
	var limit int
	filters := make([]string, len(l.filters))
	path := l.below
	if path == nil {
		path = fixed(l.path)
	}
	cmd := &cobra.Command{Use: l.use, Short: l.short, Args: cobra.ExactArgs(l.args)}
	calls(cmd, "GET "+path(names(l.args)))
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		query := url.Values{}
		for i, f := range l.filters {
			if filters[i] != "" {
				query.Set(f.member, filters[i])
			}
		}
		items, more, err := r.pages(cmd.Context(), path(args), query, limit)
		if err != nil {
			return err
		}
		if err := r.printList(cmd.OutOrStdout(), l.columns, items); err != nil {
			return err
		}
		if more {
			_, _ = fmt.Fprintln(r.env.Stderr, "There are more; --limit raises how many are shown.")
		}
		return nil
	})
	cmd.Flags().IntVar(&limit, "limit", 1000, "how many at most")
	for i, f := range l.filters {
		cmd.Flags().StringVar(&filters[i], f.title, "", "only this "+f.title)
	}
	return cmd
}

func (r *remote) pages(ctx context.Context, path string, query url.Values, limit int) (items []map[string]any, more bool, err error) {
	items = []map[string]any{}
	if limit < 1 {
		return nil, false, usagef("--limit must be at least 1")
	}
	for {
		query.Set("limit", strconv.Itoa(min(200, limit-len(items))))
		var page struct {
			Items []map[string]any `json:"items"`
			Next  string           `json:"next"`
		}
		if err := r.call(ctx, "GET", path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, false, err
		}
		items = append(items, page.Items...)
		if page.Next == "" || len(items) >= limit {
			return items, page.Next != "", nil
		}
		query.Set("cursor", page.Next)
	}
}

func (r *remote) printList(w io.Writer, columns []column, items []map[string]any) error {
	if r.json {
		return printJSON(w, map[string]any{"items": items})
	}
	if len(items) == 0 {
		_, err := fmt.Fprintln(w, "none")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = strings.ToUpper(c.title)
	}
	_, _ = fmt.Fprintln(tw, strings.Join(titles, "\t"))
	for _, item := range items {
		cells := make([]string, len(columns))
		for i, c := range columns {
			if cells[i] = readable(member(item, c.member)); cells[i] == "" {
				cells[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	return tw.Flush()
}

// printOne shows one thing: JSON, or a line per member.
func (r *remote) printOne(w io.Writer, item map[string]any) error {
	if r.json {
		return printJSON(w, item)
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	flatten(tw, "", item)
	return tw.Flush()
}

func flatten(w io.Writer, prefix string, item map[string]any) {
	names := make([]string, 0, len(item))
	for name := range item {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch v := item[name].(type) {
		case map[string]any:
			flatten(w, prefix+name+".", v)
		default:
			if text := readable(v); text != "" {
				_, _ = fmt.Fprintf(w, "%s\t%s\n", prefix+name, text)
			}
		}
	}
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// member follows a dotted path.
func member(item map[string]any, path string) any {
	var v any = item
	for part := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[part]
	}
	return v
}

func readable(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return line(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = readable(x)
		}
		return strings.Join(parts, " ")
	case map[string]any:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return line(string(raw))
	}
	return line(fmt.Sprint(v))
}

// line keeps people's names from steering the terminal (V4).
func line(s string) string {
	return strings.Map(func(c rune) rune {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
			return '\uFFFD'
		}
		return c
	}, s)
}
