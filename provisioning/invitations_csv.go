package provisioning

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// Bounds of an import.
const (
	MaxImportBytes = 1 << 20
	MaxImportLines = 5000
	maxCell        = 1000 // bytes
	maxListed      = 100  // groups or apps of one line
)

// Codes of what an import says about a line.
const (
	ImportUnreadable  = "unreadable"  // quotes or columns that do not fit
	ImportColumn      = "column"      // of the first line: unknown, twice or missing
	ImportAddress     = "address"     // not an e-mail address
	ImportText        = "text"        // a cell that cannot be taken
	ImportRole        = "role"        // not a role
	ImportDuplicate   = "duplicate"   // the address stands in an earlier line
	ImportInvited     = "invited"     // an open invitation waits for the address
	ImportMember      = "member"      // a member has the address
	ImportApp         = "app"         // no such app for the organization
	ImportRight       = "right"       // the caller may not give this role
	ImportPublic      = "public"      // a warning: a public mail domain
	ImportForeign     = "foreign"     // a warning: not a domain of the organization
	ImportOtherDomain = "other-owner" // a warning: another organization's domain
)

// ImportProblem is what is wrong with one line of an import.
type ImportProblem struct {
	Line    int    `json:"line" doc:"From 1, the line with the column names"`
	Column  string `json:"column,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Warning bool   `json:"warning" doc:"The line is taken all the same"`
}

// ImportLine is one line that could be read.
type ImportLine struct {
	Line int
	Invitee
}

// csvColumns are the names of the first line; email alone has to be there. The
// last three are of an export, and are not read.
func csvColumns() []string {
	return []string{"email", "name", "role", "groups", "apps", "language", "state", "sent_at", "expires_at"}
}

// ParseInvitations reads a CSV text (RFC 4180, UTF-8, commas or semicolons)
// whose first line names the columns email, name, role, groups, apps and
// language in any order; several groups or apps are separated by "|". It
// reports every line that cannot be taken, by number, and returns the others.
// Nothing is guessed: a broken quote ends the reading.
func ParseInvitations(text []byte) (lines []ImportLine, problems []ImportProblem) {
	bad := func(line int, column, code, message string) {
		problems = append(problems, ImportProblem{Line: line, Column: column, Code: code, Message: message})
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case len(text) > MaxImportBytes:
		bad(1, "", ImportUnreadable, "The text is longer than 1 MiB. Split it.")
		return nil, problems
	case !utf8.Valid(text):
		bad(1, "", ImportUnreadable, "The text is not UTF-8. Save it as UTF-8.")
		return nil, problems
	}
	r := csv.NewReader(bytes.NewReader(text))
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.Contains(first, []byte(";")) && !bytes.Contains(first, []byte(",")) {
		r.Comma = ';'
	}
	head, err := r.Read()
	if err != nil {
		bad(1, "", ImportUnreadable, "There is no first line with the names of the columns: email, name, role, groups, apps, language.")
		return nil, problems
	}
	if len(head) > 2*len(csvColumns()) {
		bad(1, "", ImportColumn, "There are more columns than can be: email, name, role, groups, apps, language.")
		return nil, problems
	}
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
		switch {
		case !slices.Contains(csvColumns(), head[i]):
			bad(1, "", ImportColumn, "Column "+strconv.Itoa(i+1)+" is none of email, name, role, groups, apps, language.")
		case slices.Index(head, head[i]) < i:
			bad(1, head[i], ImportColumn, "The column is there twice.")
		}
	}
	if !slices.Contains(head, "email") {
		bad(1, "email", ImportColumn, "The column email is missing.")
	}
	if len(problems) > 0 {
		return nil, problems
	}
	seen := map[string]int{}
	for n := 0; ; n++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, problems
		}
		if n >= MaxImportLines {
			line, _ := r.FieldPos(0)
			bad(line, "", ImportUnreadable, "There are more than 5,000 lines. Nothing from here on was read: split the file.")
			return lines, problems
		}
		var syntax *csv.ParseError
		switch {
		case errors.As(err, &syntax) && errors.Is(err, csv.ErrFieldCount):
			bad(syntax.StartLine, "", ImportUnreadable, fmt.Sprintf("There are %d cells where the first line names %d columns.", len(cells), len(head)))
			continue
		case errors.As(err, &syntax):
			bad(syntax.StartLine, "", ImportUnreadable, "A quotation mark stands where none can, or is never closed. Nothing from here on was read.")
			return lines, problems
		case err != nil:
			bad(n+2, "", ImportUnreadable, "The line cannot be read.")
			return lines, problems
		}
		at, _ := r.FieldPos(0)
		l, fault := importLine(head, cells)
		l.Line = at
		if fault == nil {
			if before, twice := seen[l.Email.Key()]; twice {
				fault = &ImportProblem{Column: "email", Code: ImportDuplicate, Message: fmt.Sprintf("The address stands in line %d already.", before)}
			}
		}
		if fault != nil {
			bad(at, fault.Column, fault.Code, fault.Message)
			continue
		}
		seen[l.Email.Key()] = at
		lines = append(lines, l)
	}
}

func importLine(head, cells []string) (l ImportLine, fault *ImportProblem) {
	bad := func(column, code, message string) (ImportLine, *ImportProblem) {
		return l, &ImportProblem{Column: column, Code: code, Message: message}
	}
	for i, name := range head {
		cell := strings.TrimSpace(plainCell(cells[i]))
		if len(cell) > maxCell || strings.ContainsFunc(cell, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			return bad(name, ImportText, "The cell is longer than 1,000 bytes, or holds line breaks, control or text-direction characters.")
		}
		switch name {
		case "email":
			e, err := profile.ParseEmail(cell)
			if err != nil {
				return bad(name, ImportAddress, err.Error())
			}
			l.Email = e
		case "name":
			l.Name = cell
		case "role":
			if l.Role = strings.ToLower(cell); l.Role != "" && !Role(l.Role) {
				return bad(name, ImportRole, "The role is none of user, admin, owner.")
			}
		case "groups", "apps":
			var list []string
			for v := range strings.SplitSeq(cell, "|") {
				if v = strings.TrimSpace(v); v != "" {
					list = append(list, v)
				}
			}
			if len(list) > maxListed {
				return bad(name, ImportText, "There are more than 100.")
			}
			if name == "groups" {
				l.Groups = list
			} else {
				l.Clients = list
			}
		case "language":
			if len(cell) > 35 || strings.Trim(cell, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
				return bad(name, ImportText, "This is not a language tag such as en or de.")
			}
			l.Language = cell
		}
	}
	return l, nil
}

// formula are the first characters that make a spreadsheet compute a cell.
const formula = "=+-@\t\r"

// SafeCell is a cell that no spreadsheet takes for a formula (SECURITY-CASES V4):
// what looks like one gets an apostrophe in front.
func SafeCell(s string) string {
	if s != "" && strings.ContainsRune(formula+"'", rune(s[0])) {
		return "'" + s
	}
	return s
}

// plainCell takes the apostrophe of SafeCell away again.
func plainCell(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune(formula+"'", rune(s[1])) {
		return s[1:]
	}
	return s
}

// CheckInvitee says what the store has against an invitation, and what an admin
// should know about its address. The caller's rights are the caller's to check.
func (p *Provisioner) CheckInvitee(tx store.Tx, organization string, who Invitee) (problems []ImportProblem, err error) {
	if who.Role != "" && !Role(who.Role) {
		return nil, ErrRole
	}
	switch err := p.invitable(tx, organization, who.Email); {
	case errors.Is(err, ErrInvited):
		problems = append(problems, ImportProblem{Column: "email", Code: ImportInvited, Message: "An open invitation waits for this address already."})
	case err != nil && !errors.Is(err, ErrInvitationLimit):
		return nil, err
	}
	members, err := p.Namesakes(tx, organization, who.Email)
	if err != nil {
		return nil, err
	}
	if len(members) > 0 {
		problems = append(problems, ImportProblem{Column: "email", Code: ImportMember, Message: "A member of the organization has this address already."})
	}
	for _, id := range who.Clients {
		c, err := p.store.Clients.Get(tx, id)
		found, err := present(err)
		if err != nil {
			return nil, err
		}
		if !found || len(c.Organizations) > 0 && !slices.Contains(c.Organizations, organization) {
			problems = append(problems, ImportProblem{Column: "apps", Code: ImportApp, Message: "There is no app " + strconv.Quote(profile.Untrusted(id).Clean(64)) + " for this organization."})
		}
	}
	warning, err := p.domainWarning(tx, organization, who.Email)
	if err == nil && warning.Code != "" {
		problems = append(problems, warning)
	}
	return problems, err
}

// domainWarning: an address outside of the organization's domains can be
// invited, but only a local account of the organization can prove it.
func (p *Provisioner) domainWarning(tx store.Tx, organization string, e profile.Email) (w ImportProblem, err error) {
	own, err := p.domainOf(tx, organization, e)
	if err != nil || own.Name != "" {
		return w, err
	}
	w = ImportProblem{Column: "email", Warning: true, Code: ImportForeign, Message: "The domain is none of the organization's: this person needs a local account."}
	for d, err := range p.store.Domains.AllByIndex(tx, "name", e.Domain()) {
		if err != nil {
			return w, err
		}
		if d.Owned() {
			w.Code, w.Message = ImportOtherDomain, "The domain belongs to another organization: no connection of yours can let this person in."
			return w, nil
		}
	}
	if _, public := federation.PublicMail(e.Domain()); public {
		w.Code, w.Message = ImportPublic, "This is a public mail domain: this person needs a local account."
	}
	return w, nil
}
