package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/broker/admin"
	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/templates"
)

// Variables of the admin commands.
const (
	adminURLVariable   = "GATEHOUSE_ADMIN_URL"
	adminTokenVariable = "GATEHOUSE_TOKEN"
)

// usageError is a command typed wrongly: exit status 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }

func (e usageError) Unwrap() error { return e.err }

// ExitCode is what the process ends with.
func (usageError) ExitCode() int { return 2 }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// remote is how admin commands reach the admin API: over the network with an
// API token, or in this process on the data file as the operator.
type remote struct {
	env       environment
	url       string
	tokenFile string
	config    string
	json      bool

	base   string
	token  string
	client *http.Client
	closer func() error
}

// adminCommands are the commands that work through the admin API.
func adminCommands(env environment) []*cobra.Command {
	r := &remote{env: env}
	cmds := []*cobra.Command{
		newOrgCommand(r), newDomainCommand(r), newConnectionCommand(r), newRouteCommand(r), newClientCommand(r), newUserCommand(r), newMemberCommand(r), newAccountCommand(r),
		newRequestCommand(r), newInvitationCommand(r), newSessionCommand(r), newGrantCommand(r), newAuditCommand(r), newExportCommand(r), newDiffCommand(r), newApplyCommand(r), newTraceCommand(r), newTokenCommand(r), newWebhookCommand(r), newMailCommand(r), newWhoamiCommand(r), newOverviewCommand(r), newKeyCommand(r), newSettingsCommand(r),
	}
	for _, cmd := range cmds {
		f := cmd.PersistentFlags()
		f.StringVar(&r.url, "url", "", "address of the admin listener (or "+adminURLVariable+")")
		f.StringVar(&r.tokenFile, "token-file", "", "file with an API token (or "+adminTokenVariable+")")
		f.StringVarP(&r.config, "config", "c", "", "work on the data of this configuration while no server runs, as the operator")
		f.BoolVar(&r.json, "json", false, "print JSON")
	}
	return cmds
}

// prepare makes wrong flags and arguments usage errors, in cmd and below.
func prepare(cmd *cobra.Command) {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, cmd.CommandPath())
	})
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w; see `%s --help`", err, cmd.CommandPath())
			}
			return nil
		}
	}
	if cmd.HasSubCommands() && cmd.RunE == nil {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return usagef("there is no command %q; see `%s --help`", cmd.CommandPath()+" "+args[0], cmd.CommandPath())
		}
	}
	for _, sub := range cmd.Commands() {
		prepare(sub)
	}
}

func (r *remote) variable(name string) string {
	for _, entry := range slices.Backward(r.env.Environ) {
		if n, value, _ := strings.Cut(entry, "="); n == name {
			return value
		}
	}
	return ""
}

// open decides where to work. Flags win over variables.
func (r *remote) open(ctx context.Context) error {
	address := r.url
	if address == "" && r.config == "" {
		address = r.variable(adminURLVariable)
	}
	switch {
	case r.url != "" && r.config != "":
		return usagef("--url and --config exclude each other: one is a running server, the other its data while it is stopped")
	case address != "":
		return r.openNetwork(address)
	case r.config != "" || r.variable("GATEHOUSE_DATA") != "":
		return r.openData(ctx)
	}
	return usagef("say where: --url and --token-file for a running server, or --config for its data while it is stopped")
}

// openNetwork never sends a token in the clear or after a redirect.
func (r *remote) openNetwork(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return usagef("%q is not the http or https address of an admin listener", address)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return usagef("the API token would be readable on the way to %s: use https", u.Host)
	}
	r.token = r.variable(adminTokenVariable)
	if r.tokenFile != "" {
		raw, err := os.ReadFile(r.tokenFile)
		if err != nil {
			return fmt.Errorf("read the API token: %w", err)
		}
		r.token = string(raw)
	}
	if r.token = strings.TrimSpace(r.token); r.token == "" {
		return usagef("there is no API token: give --token-file or %s (`gatehouse token create` makes one)", adminTokenVariable)
	}
	r.base = strings.TrimSuffix(address, "/")
	r.client = &http.Client{
		Timeout:       60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// openData serves the admin API in this process, on data no server has open.
func (r *remote) openData(ctx context.Context) (err error) {
	cfg, err := loadConfig(r.config, r.env.Environ)
	if err != nil {
		return err
	}
	st, err := openStore(ctx, cfg, r.env.Environ)
	if err != nil {
		return fmt.Errorf("%w (while a server runs, work through it with --url)", err)
	}
	network, err := federation.ParseNetworkPolicy(cfg.Network.AllowPrivate)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	fed := federation.New(federation.Config{Store: st.Store, PublicURL: cfg.Issuer, Network: network, Now: st.Now})
	r.closer = func() error {
		fed.Close()
		return st.Close()
	}
	pages, err := templates.New(templates.Config{})
	if err != nil {
		return err
	}
	provisioner := provisioning.New(provisioning.Config{Store: st.Store, Federation: fed, Now: st.Now})
	notifier, err := newNotifier(cfg, st.Store, fed, provisioner, nil, nil) // it never runs: the server sends what is queued here
	if err != nil {
		return err
	}
	handler, err := admin.New(admin.Config{
		Settings:  settingsOf(cfg),
		Ownership: newOwnership(cfg, st, nil), Store: st.Store, Federation: fed, Templates: pages, BaseURL: cfg.Admin.URL, PublicIssuer: cfg.Issuer, Now: st.Now,
		Provisioner: provisioner, Notifier: notifier,
		Logger: slog.New(slog.NewTextHandler(r.env.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), Version: buildVersion(),
	})
	if err != nil {
		return err
	}
	r.base, r.client = strings.TrimSuffix(cfg.Admin.URL, "/"), &http.Client{Transport: handler.OperatorTransport()}
	return nil
}

// run wraps a command's work: opens before and closes after.
func (r *remote) run(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		defer func() {
			if r.closer != nil {
				err = errors.Join(err, r.closer())
				r.closer = nil
			}
		}()
		if err := r.open(cmd.Context()); err != nil {
			return err
		}
		return work(cmd, args)
	}
}

// call sends one request and decodes the answer into out (nil to drop it, a
// *[]byte takes it as it is).
func (r *remote) call(ctx context.Context, method, path string, body, out any, headers ...string) error {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+"/api/v1"+path, reader)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	req.Header.Set("User-Agent", "gatehouse/"+buildVersion())
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	res, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("the admin listener does not answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode >= 300 {
		return problemOf(res.StatusCode, raw)
	}
	if out == nil || len(raw) == 0 {
		return nil
	}
	if text, ok := out.(*[]byte); ok { // no JSON
		*text = raw
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("this is not the admin API of Gatehouse: %w", err)
	}
	return nil
}

// problemOf makes one sentence per fault of an RFC 9457 answer.
func problemOf(status int, raw []byte) error {
	var p struct {
		Detail string `json:"detail"`
		Errors []struct{ Message, Location string }
	}
	if json.Unmarshal(raw, &p) != nil || p.Detail == "" {
		return fmt.Errorf("the server answered %d %s: is this the admin listener?", status, http.StatusText(status))
	}
	lines := []string{p.Detail}
	for _, e := range p.Errors {
		lines = append(lines, "  "+strings.TrimPrefix(e.Location, "body.")+": "+e.Message)
	}
	return answerError{status, line(strings.Join(lines, "\n"))}
}
