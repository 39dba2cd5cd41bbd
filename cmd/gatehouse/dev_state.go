package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"gatehouse/store"
)

// devState is dev.json: what the screen says, for scripts and tests. It also
// keeps the secrets that the data holds as hashes only.
type devState struct {
	Issuer   string      `json:"issuer"`
	Admin    string      `json:"admin"`
	Demo     string      `json:"demo"`
	Data     string      `json:"data"`
	IDPs     []devIDP    `json:"idps"`
	Clients  []devClient `json:"clients"`
	Owner    devOwner    `json:"owner"`
	APIToken string      `json:"api_token"`
}

type devIDP struct {
	Name         string           `json:"name"`
	Issuer       string           `json:"issuer"`
	Domain       string           `json:"domain"` // rule of the connection: a domain, or "*"
	Connection   string           `json:"connection"`
	Organization string           `json:"organization"`
	Join         store.JoinPolicy `json:"join"`
}

type devClient struct {
	ID           string           `json:"id"`
	Type         store.ClientType `json:"type"`
	Secret       string           `json:"secret,omitempty"`
	RedirectURIs []string         `json:"redirect_uris"`
}

type devOwner struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

func (s *devState) client(id string) devClient {
	for _, c := range s.Clients {
		if c.ID == id {
			return c
		}
	}
	return devClient{}
}

// readDevState is what the last start wrote, or zero.
func readDevState(path string) (devState, error) {
	var s devState
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("%s is damaged (%w): delete it, and new secrets are made", path, err)
	}
	return s, nil
}

// write replaces the file as a whole, readable for its owner only.
func (s *devState) write(path string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".dev-*.json") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

// screen is what a person sees after the start, "ready" being its last line.
// smtp is the mail server, "" when mails are written to files.
func (s *devState) screen(smtp string) string {
	var b bytes.Buffer
	b.WriteString("\nGatehouse, for development on this machine\n\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(w, "  "+strings.Join(cells, "\t")) }
	row("Demo app", s.Demo, "press Sign in, type alice@acme.test")
	row("Broker", s.Issuer, "the issuer of the tokens")
	row("Admin console", s.Admin, s.Owner.Email+"  "+s.Owner.Password)
	row("API token", s.APIToken, "also for: gatehouse org list, ...")
	_ = w.Flush() // into memory
	b.WriteString("\n")
	row("Company", "E-mail domain", "Identity provider", "Newcomers")
	for i, p := range s.IDPs {
		domain, join := p.Domain, "come in at once"
		if domain == "*" {
			domain = "any other"
		}
		if p.Join == store.JoinRequest {
			join = "wait until an admin approves in the console"
		}
		row(devCompanies()[i].title, domain, p.Issuer, join)
	}
	_ = w.Flush()
	b.WriteString("  At each provider alice, bob and any other name sign in without a password.\n")
	b.WriteString("  admin@acme.test and admin@globex.test are admins of their company: they sign in to the console with \"Sign in with your company\".\n\n")
	row("Client", "Secret", "Redirect URIs")
	for _, c := range s.Clients {
		secret := c.Secret
		if secret == "" {
			secret = "none (" + string(c.Type) + ")"
		}
		row(c.ID, secret, strings.Join(c.RedirectURIs, "  "))
	}
	_ = w.Flush()
	if smtp != "" {
		fmt.Fprintf(&b, "\n  Mails are sent to: %s", smtp)
	} else {
		fmt.Fprintf(&b, "\n  Mails are written to: %s", filepath.Join(s.Data, "mail"))
	}
	fmt.Fprintf(&b, "\n  Data, log and all of the above (dev.json): %s\n  Ctrl-C stops everything.\n\nready\n", s.Data)
	return b.String()
}
