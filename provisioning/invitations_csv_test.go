package provisioning

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse/store"
)

func TestImportNamesEveryBadLine(t *testing.T) {
	t.Parallel()
	text := "\ufeffEmail,name,role,groups,apps,language\r\n" +
		"alice@acme.test,Alice,admin,a|b,wiki,en\r\n" + // 2
		"not an address,,,,,\r\n" + // 3
		"ALICE@acme.test,,,,,\r\n" + // 4: the same address
		"bob@acme.test,,superuser,,,\r\n" + // 5
		"carol@acme.test,Carol\r\n" + // 6: cells missing
		"\"dave@acme.test\",\"Dave, the \"\"driver\"\"\",,,,de\r\n" + // 7
		"eve@acme.test,Eve\u202e,,,,\r\n" + // 8
		"frank@acme.test,\"two\nlines\",,,,\r\n" + // 9 and 10
		"\"Bob <a@acme.test>\",,,,,\r\n" + // 11
		"'=cmd@acme.test,'=1+1,,,,\r\n" // 12: of an export
	lines, problems := ParseInvitations([]byte(text))
	var good []string
	for _, l := range lines {
		good = append(good, fmt.Sprintf("%d %s", l.Line, l.Email))
	}
	if want := []string{"2 alice@acme.test", "7 dave@acme.test", "12 =cmd@acme.test"}; !slices.Equal(good, want) {
		t.Errorf("good %q, want %q", good, want)
	}
	if lines[0].Role != "admin" || !slices.Equal(lines[0].Groups, []string{"a", "b"}) || !slices.Equal(lines[0].Clients, []string{"wiki"}) || lines[1].Name != `Dave, the "driver"` || lines[2].Name != "=1+1" {
		t.Errorf("%+v", lines)
	}
	var bad []string
	for _, p := range problems {
		bad = append(bad, fmt.Sprintf("%d %s", p.Line, p.Code))
		if p.Message == "" || p.Warning {
			t.Errorf("%+v", p)
		}
	}
	if want := []string{"3 address", "4 duplicate", "5 role", "6 unreadable", "8 text", "9 text", "11 address"}; !slices.Equal(bad, want) {
		t.Errorf("bad %q, want %q", bad, want)
	}
}

func TestImportRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "no address": "name,role\nx,y\n", "unknown column": "email,admin\na@b.test,yes\n", "column twice": "email,email\na@b.test,b@b.test\n",
		"not UTF-8": "email\n\xff@b.test\n", "broken quote": "email,name\na@b.test,\"x\n", "bare quote": "email,name\na@b.test,x\"y\n",
		"many columns": strings.Repeat("a,b,", 200_000) + "email\n", "huge": "email\n" + strings.Repeat("a", MaxImportBytes), "no header": "alice@acme.test\n",
	} {
		lines, problems := ParseInvitations([]byte(text))
		if len(lines) != 0 || len(problems) == 0 {
			t.Errorf("%s: %d lines, %+v", name, len(lines), problems)
		}
	}
	var many strings.Builder
	many.WriteString("email;name\n")
	for i := range MaxImportLines + 10 {
		fmt.Fprintf(&many, "a%d@acme.test;A, B\n", i)
	}
	lines, problems := ParseInvitations([]byte(many.String()))
	if len(lines) != MaxImportLines || len(problems) != 1 || problems[0].Line != MaxImportLines+2 || lines[0].Name != "A, B" {
		t.Errorf("%d lines, %+v", len(lines), problems)
	}
}

func TestV4_ExportedCellsAreNoFormulas(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "'", "plain", "", "a=b"} {
		safe := SafeCell(s)
		if safe != "" && strings.ContainsRune("=+-@\t\r", rune(safe[0])) {
			t.Errorf("%q became %q", s, safe)
		}
		if got := plainCell(safe); got != s && s != "'" {
			t.Errorf("%q became %q and came back as %q", s, safe, got)
		}
	}
}

// FuzzParseInvitations: whatever the text, no panic, bounded results, each line
// is good or bad once, and good lines read the same again.
func FuzzParseInvitations(f *testing.F) {
	for _, s := range []string{"email\na@b.test\n", "email;name\na@b.test;x\n", "email,groups\n\"a@b.test\",\"x|y\"\n", "\ufeffemail\r\n\r\n", "email,name\n\"a\n@b.test\",\"", "email,email"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, problems := ParseInvitations(text)
		if len(lines) > MaxImportLines {
			t.Fatalf("%d lines", len(lines))
		}
		seen, last := map[string]bool{}, 0
		for _, l := range lines {
			if l.Line <= last || l.Email.IsZero() || seen[l.Email.Key()] || l.Role != "" && !Role(l.Role) {
				t.Fatalf("%+v after line %d", l, last)
			}
			last, seen[l.Email.Key()] = l.Line, true
		}
		for _, p := range problems {
			if p.Line < 1 || p.Code == "" || p.Message == "" {
				t.Fatalf("%+v", p)
			}
		}
		var again bytes.Buffer
		w := csv.NewWriter(&again)
		_ = w.Write([]string{"email", "name", "role", "groups", "apps", "language"})
		for _, l := range lines {
			cells := []string{l.Email.String(), l.Name, l.Role, strings.Join(l.Groups, "|"), strings.Join(l.Clients, "|"), l.Language}
			for i := range cells {
				cells[i] = SafeCell(cells[i])
			}
			_ = w.Write(cells)
		}
		w.Flush()
		if again.Len() > MaxImportBytes {
			return
		}
		back, bad := ParseInvitations(again.Bytes())
		if len(bad) != 0 || len(back) != len(lines) {
			t.Fatalf("%d lines came back as %d with %+v", len(lines), len(back), bad)
		}
		for i := range back {
			a, b := back[i], lines[i]
			if a.Email != b.Email || a.Name != b.Name || a.Role != b.Role || !slices.Equal(a.Groups, b.Groups) || !slices.Equal(a.Clients, b.Clients) {
				t.Fatalf("%+v came back as %+v", b, a)
			}
		}
	})
}

func TestImportAgainstTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.person("acme", "alice", grouped("alice"))
	w.wantKind(w.login("acme", "alice"), Created, "")
	w.invite("bob@acme.test", Invitee{})
	w.update(func(tx store.Tx) error {
		if err := w.store.Clients.Insert(tx, store.Client{ID: "theirs", Name: "T", Organizations: []string{"public"}}); err != nil {
			return err
		}
		return w.store.Domains.Insert(tx, store.Domain{Name: "globex.test", OrganizationID: "public", State: store.DomainAsserted})
	})
	for _, c := range []struct {
		email string
		apps  []string
		want  []string
	}{
		{"new@acme.test", []string{"app"}, nil},
		{"ALICE@acme.test", nil, []string{"member"}},
		{"bob@acme.test", nil, []string{"invited"}},
		{"x@eu.acme.test", nil, nil},
		{"x@gmail.com", nil, []string{"public"}},
		{"x@elsewhere.test", nil, []string{"foreign"}},
		{"x@globex.test", nil, []string{"other-owner"}},
		{"y@acme.test", []string{"none", "theirs"}, []string{"app", "app"}},
	} {
		var got []string
		w.view(func(tx store.Tx) error {
			problems, err := w.p.CheckInvitee(tx, "acme", Invitee{Email: address(t, c.email), Clients: c.apps})
			for _, p := range problems {
				got = append(got, p.Code)
				if p.Warning != (p.Code == ImportPublic || p.Code == ImportForeign || p.Code == ImportOtherDomain) {
					t.Errorf("%s: %+v", c.email, p)
				}
			}
			return err
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.email, got, c.want)
		}
	}
}
