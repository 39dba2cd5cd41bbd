package admin

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// maxImportBody is a CSV text of the greatest size with every character escaped
// once, in bytes.
const maxImportBody = 2<<20 + 64<<10

// importBatch is how many lines of an import go into one transaction.
const importBatch = 100

type importInput struct {
	Body struct {
		Organization string `json:"organization" maxLength:"63"`
		CSV          string `json:"csv" maxLength:"1048576" doc:"The first line names the columns: email, and any of name, role, groups, apps, language. Groups and apps are separated by |"`
		DryRun       bool   `json:"dry_run,omitempty" doc:"Only say what would become of each line"`
		SkipBad      bool   `json:"skip_bad,omitempty" doc:"Invite the good lines although others are bad; else nothing is done then"`
		InviteDefaults
	}
}

func (in *importInput) organization() string { return in.Body.Organization }

type importOutput struct {
	Body importResult
}

type importResult struct {
	DryRun   bool                         `json:"dry_run"`
	Good     int                          `json:"good" doc:"Lines that can be taken"`
	Bad      int                          `json:"bad" doc:"Lines that cannot"`
	Invited  int                          `json:"invited"`
	Problems []provisioning.ImportProblem `json:"problems" doc:"By line; warnings stop nothing"`
}

func (r *importResult) problem(p provisioning.ImportProblem) {
	r.Problems = append(r.Problems, p)
}

func (h *Handler) importInvitations(ctx context.Context, p Principal, in *importInput) (*importOutput, error) {
	result, err := h.runImport(ctx, p, in)
	return &importOutput{result}, err
}

// runImport checks every line, and without a dry run invites the good ones:
// what the same text said in the dry run still holds for each line in its own
// transaction, or the line is reported.
func (h *Handler) runImport(ctx context.Context, p Principal, in *importInput) (importResult, error) {
	organization := in.Body.Organization
	result := importResult{DryRun: in.Body.DryRun, Problems: []provisioning.ImportProblem{}}
	lines, unread := provisioning.ParseInvitations([]byte(in.Body.CSV))
	for _, problem := range unread {
		result.problem(problem)
	}
	good, err := h.checkLines(ctx, p, in, lines, &result)
	if err != nil {
		return result, err
	}
	result.Good, result.Bad = len(good), len(unread)+len(lines)-len(good)
	slices.SortStableFunc(result.Problems, func(a, b provisioning.ImportProblem) int { return a.Line - b.Line })
	if in.Body.DryRun {
		return result, nil
	}
	if result.Bad > 0 && !in.Body.SkipBad {
		return result, problem(http.StatusUnprocessableEntity, "Some lines cannot be taken, and nothing was done. A dry run names each of them; skip_bad invites the others.")
	}
	for batch := range slices.Chunk(good, importBatch) {
		if err := h.inviteBatch(ctx, p.within(organization), organization, batch, &result); err != nil {
			return result, err
		}
	}
	return result, nil
}

// checkLines fills in the defaults and keeps the lines the store has nothing
// against.
func (h *Handler) checkLines(ctx context.Context, p Principal, in *importInput, lines []provisioning.ImportLine, result *importResult) (good []provisioning.ImportLine, err error) {
	organization := in.Body.Organization
	err = h.store.View(ctx, func(tx store.Tx) error {
		if ok, err := has(tx, h.store.Organizations, organization); err != nil || !ok {
			return errors.Join(err, fault("organization", "does not exist"))
		}
		for _, line := range lines {
			d := in.Body.InviteDefaults
			if line.Role != "" {
				d.Role = line.Role
			}
			if len(line.Groups) > 0 {
				d.Groups = line.Groups
			}
			if len(line.Clients) > 0 {
				d.Clients = line.Clients
			}
			if line.Language != "" {
				d.Language = line.Language
			}
			who, err := invitee(p, organization, line.Email.String(), line.Name, d)
			if err != nil {
				result.problem(refusedLine(line.Line, err))
				continue
			}
			line.Invitee = who
			found, err := h.provisioner.CheckInvitee(tx, organization, who)
			if err != nil {
				return err
			}
			bad := false
			for _, problem := range found {
				problem.Line = line.Line
				bad = bad || !problem.Warning
				result.problem(problem)
			}
			if !bad {
				good = append(good, line)
			}
		}
		return nil
	})
	return good, err
}

func refusedLine(line int, err error) provisioning.ImportProblem {
	out := provisioning.ImportProblem{Line: line, Code: provisioning.ImportText, Message: "The line cannot be taken."}
	if errors.Is(err, errForbidden) {
		out.Column, out.Code, out.Message = "role", provisioning.ImportRight, "Your role does not allow to give this role."
	}
	var said []string
	for _, f := range fieldErrors(err) {
		said = append(said, sentence(f))
	}
	if len(said) > 0 {
		out.Message = strings.Join(said, " ")
	}
	return out
}

// inviteBatch invites some lines in one transaction; a line that somebody else
// invited meanwhile is reported.
func (h *Handler) inviteBatch(ctx context.Context, p Principal, organization string, batch []provisioning.ImportLine, result *importResult) error {
	tokens := make([]provisioning.InvitationToken, len(batch))
	for i := range tokens {
		tokens[i] = provisioning.NewInvitationToken()
	}
	var late []provisioning.ImportProblem
	err := h.change(ctx, p, func(ch *store.Change) error {
		late = nil
		for i, line := range batch {
			if err := h.appsFor(ch.Tx, "clients", organization, line.Clients); err != nil {
				return err
			}
			_, err := h.provisioner.Invite(ch, organization, line.Invitee, p.UserID, tokens[i])
			if errors.Is(err, provisioning.ErrInvited) {
				late = append(late, provisioning.ImportProblem{Line: line.Line, Column: "email", Code: provisioning.ImportInvited, Message: "Somebody else has invited this address just now."})
				continue
			}
			if err != nil {
				return err
			}
		}
		if len(late) == len(batch) {
			return errNobody
		}
		return nil
	})
	if errors.Is(err, errNobody) {
		err = nil
	}
	if err != nil {
		return err
	}
	result.Invited += len(batch) - len(late)
	result.Problems = append(result.Problems, late...)
	return nil
}

// errNobody: everybody of a batch was invited by somebody else; there is
// nothing to write.
var errNobody = errors.New("admin: nobody to invite")

type exportInvitationsInput struct {
	Organization string `path:"organization" maxLength:"63"`
}

type csvOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (h *Handler) exportInvitations(ctx context.Context, _ Principal, in *exportInvitationsInput) (*csvOutput, error) {
	raw, err := h.invitationsCSV(ctx, in.Organization)
	return &csvOutput{ContentType: "text/csv; charset=utf-8", Disposition: `attachment; filename="invitations.csv"`, Body: raw}, err
}

// maxExported bounds the lines of an export; the newest data is what people
// keep spreadsheets of, and all of it is in the API.
const maxExported = 50_000

// invitationsCSV is every invitation of an organization as a text that can be
// imported again. No cell is a formula to a spreadsheet (V4).
func (h *Handler) invitationsCSV(ctx context.Context, organization string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"email", "name", "role", "groups", "apps", "language", "state", "sent_at", "expires_at"}) // a buffer takes all
	err := h.store.View(ctx, func(tx store.Tx) error {
		if ok, err := has(tx, h.store.Organizations, organization); err != nil || !ok {
			return errors.Join(err, store.ErrNotFound)
		}
		n := 0
		for i, err := range h.store.Invitations.AllByIndex(tx, "organization", organization) {
			if err != nil {
				return err
			}
			if n++; n > maxExported {
				return nil
			}
			v := h.viewInvitation(i)
			cells := []string{
				v.Email, v.Name, v.Role, strings.Join(v.Groups, "|"), strings.Join(v.Clients, "|"), v.Language, v.State,
				v.SentAt.UTC().Format(time.RFC3339), v.ExpiresAt.UTC().Format(time.RFC3339),
			}
			for i := range cells {
				cells[i] = provisioning.SafeCell(cells[i])
			}
			_ = w.Write(cells)
		}
		return nil
	})
	w.Flush()
	return out.Bytes(), err
}
